# SPDX-License-Identifier: MIT
"""/openapi.json has an example for each route, and each fits what stands beside it."""
import jsonschema


def operations(spec):
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def fits(spec, schema, example, where):
    problems = list(jsonschema.Draft202012Validator({**schema, "components": spec["components"]}).iter_errors(example))
    assert not problems, f"{where}: {problems[0].message}"


def test_every_route_has_examples_that_fit(api):
    spec = api.get("/openapi.json")
    seen = 0
    for name, operation in operations(spec):
        for parameter in operation["parameters"]:
            if parameter["required"]:
                fits(spec, parameter["schema"], parameter["example"], f"{name}: {parameter['name']}")
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None:
            fits(spec, body["schema"], body["example"], name)
            unknown = set(body["example"]) - set(body["schema"]["properties"])
            assert not unknown or "{name}" in name, f"{name}: {unknown}"
        answer = operation["responses"]["200"].get("content", {}).get("application/json")
        if answer is not None:
            schema = answer["schema"]
            component = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
            assert component["examples"], name
            for example in component["examples"]:
                fits(spec, schema, example, name)
            seen += 1
    assert seen > 30
    for example in spec["components"]["schemas"]["Error"]["examples"]:
        fits(spec, {"$ref": "#/components/schemas/Error"}, example, "Error")
