-- SPDX-License-Identifier: MIT
-- wrk -s requests.lua URL -- FILE: sends the requests of FILE in turn, over and over. A line of it is
-- method, path, session string and body, parted by tabs. The sums go to standard error as one line of JSON.
local requests, at = {}, 0

function init(args)
    for line in io.lines(args[1]) do
        local method, path, session, body = line:match("^(.-)\t(.-)\t(.-)\t(.*)$")
        local headers = {["Content-Type"] = body ~= "" and "application/json" or nil}
        if session ~= "" then
            headers["X-Session-String"] = session
        end
        requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local e = summary.errors
    io.stderr:write(string.format(
        '{"requests": %d, "us": %d, "p50_us": %d, "p99_us": %d, "refused": %d, "broken": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), e.status,
        e.connect + e.read + e.write + e.timeout))
end
