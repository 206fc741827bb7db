-- wrk script: cycles through the lines "PATH TOKEN" of the file named first; prints one JSON line at the end.
-- With a second argument "once" the thread stops when every line was sent. With "paths" a number that counts up stands
-- behind each path, so that no path comes twice.
local requests, position, once, ends, count = {}, 0, false, nil, 0

function init(arguments)
  once = arguments[2] == "once"
  ends = arguments[2] == "paths" and {} or nil
  for line in io.lines(arguments[1]) do
    local path, token = line:match("^(%S+) (%S+)$")
    local text = wrk.format("GET", path, { Authorization = "Bearer " .. token })
    if ends then
      local at = text:find(" HTTP/1.1\r\n", 1, true)
      text, ends[#ends + 1] = text:sub(1, at - 1), text:sub(at)
    end
    requests[#requests + 1] = text
  end
end

function request()
  position = position + 1
  if position > #requests then
    if once then wrk.thread:stop() end
    position = 1
  end
  if ends then
    count = count + 1
    return requests[position] .. count .. ends[position]
  end
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
