-- Verify an RS256 bearer token, check alg, iss, aud, exp, nbf, and issue an RS256 token for the upstream.
-- The issued token is remembered under the whole token that was verified.
local cjson = require "cjson.safe"
local digest = require "openssl.digest"
local pkey = require "openssl.pkey"
local lrucache = require "resty.lrucache"
local base64 = require "ngx.base64"

local decode, encode = base64.decode_base64url, base64.encode_base64url
local remembered = lrucache.new(4000)
local public, private, issuer, audience
local gate = {}

local function read(path)
  local file = assert(io.open(path, "r"))
  local text = file:read("*a")
  file:close()
  return text
end

function gate.start(folder, wanted_issuer, wanted_audience)
  public = pkey.new(read(folder .. "/public.pem"))
  private = pkey.new(read(folder .. "/private.pem"))
  issuer, audience = wanted_issuer, wanted_audience
end

local function verified(token, now)
  local signed, head, body, signature = token:match("^(([%w_-]+)%.([%w_-]+))%.([%w_-]+)$")
  if not signed then return nil end
  local header = cjson.decode(decode(head) or "")
  if not header or header.alg ~= "RS256" then return nil end
  local raw = decode(signature)
  if not raw or not public:verify(raw, digest.new("sha256"):update(signed)) then return nil end
  local claims = cjson.decode(decode(body) or "")
  if not claims or claims.iss ~= issuer or claims.aud ~= audience then return nil end
  if type(claims.exp) ~= "number" or claims.exp <= now then return nil end
  if claims.nbf and claims.nbf > now then return nil end
  return claims
end

local function issue(claims, now)
  claims.iss, claims.iat, claims.exp = "https://gate.example", now, math.min(claims.exp, now + 300)
  local signed = encode('{"alg":"RS256","typ":"JWT"}') .. "." .. encode(cjson.encode(claims))
  return signed .. "." .. encode(private:sign(digest.new("sha256"):update(signed))), claims.exp
end

function gate.check()
  local field = ngx.var.http_authorization
  if not field or field:sub(1, 7) ~= "Bearer " then return ngx.exit(401) end
  local token, now = field:sub(8), ngx.time()
  local entry = remembered:get(token)
  if not entry or entry.exp <= now then
    local claims = verified(token, now)
    if not claims then return ngx.exit(401) end
    entry = {}
    entry.issued, entry.exp = issue(claims, now)
    remembered:set(token, entry)
  end
  ngx.req.set_header("X-JWT-Assertion", entry.issued)
end

return gate
