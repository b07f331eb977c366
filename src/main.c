/* SPDX-License-Identifier: MIT
 * tgrest: a table of subcommands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "demo.h"
#include "gateway/gateway.h"
#include "gateway/session_main.h"
#include "sandbox/sandbox.h"
#include "tl/schema.h"

#define TGREST_VERSION "0.1.0"

static int schema_main(int argc, char **argv)
{
    bool layer = argc == 2 && strcmp(argv[1], "--layer") == 0;
    if (argc > 1 && !layer) {
        fprintf(stderr, "usage: tgrest schema [--layer]\n");
        return 2;
    }
    struct slice text = tl_embedded_api();
    if (!layer)
        return fwrite(text.data, 1, text.len, stdout) == text.len ? EXIT_SUCCESS : EXIT_FAILURE;
    char error[OPTION_ERROR_BYTES];
    struct tl_schema *schema = tl_schema_parse(text, error, sizeof error);
    if (!schema) {
        fprintf(stderr, "tgrest schema: %s\n", error);
        return EXIT_FAILURE;
    }
    printf("%d\n", tl_schema_layer(schema));
    tl_schema_free(schema);
    return EXIT_SUCCESS;
}

static int version_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("tgrest %s\n", TGREST_VERSION);
    return EXIT_SUCCESS;
}

static int help_main(int argc, char **argv);

static const struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the name */
    const char *what;
} subcommands[] = {
    {"serve", gateway_main, "the REST gateway"},
    {"sandbox", sandbox_main, "a data centre of our own, in memory and offline"},
    {"demo", demo_main, "both, and curl lines to try"},
    {"keygen", keygen_main, "a key that seals sessions"},
    {"session", session_main, "look into, export and import session strings"},
    {"schema", schema_main, "the embedded TL schema"},
    {"version", version_main, "the version"},
    {"help", help_main, "this"},
};
enum { N_SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

static int help_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("usage: tgrest COMMAND [options]\n\n");
    for (size_t i = 0; i < N_SUBCOMMANDS; i++)
        printf("  %-8s  %s\n", subcommands[i].name, subcommands[i].what);
    printf("\nEach command explains its options with --help.\n");
    return EXIT_SUCCESS;
}

static const char *without_dashes(const char *name)
{
    if (strcmp(name, "-h") == 0)
        return "help";
    return strncmp(name, "--", 2) == 0 ? name + 2 : name;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help_main(argc, argv);
        return 2;
    }
    for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
        if (strcmp(without_dashes(argv[1]), subcommands[i].name) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "tgrest: unknown command '%s'; try tgrest help\n", argv[1]);
    return 2;
}
