/**
 * Writes and deletes, all of them or none. A row is a hash: `data`, `version` (the ETag), `first-write` if it was
 * written so, and `binary`, the version that was no JSON. Other readers of this layout know nothing of the last
 * field: when they write, the version moves on and the mark no longer holds.
 *
 * ARGV has six entries for each operation: `s` (set) or `d` (delete); which of KEYS; the condition (`` none, `f`
 * nothing may be there, otherwise the ETag); the data; milliseconds to live or `` for no end; flags (`b` binary,
 * `w` first-write, `j` a JSON document).
 *
 * Returns -1, or the index of the operation whose condition does not hold. Every condition is checked before anything
 * is written, against what the operations before it leave.
 */
function applying(readVersion: string, write: string): string {
  return `
local before, foreign = {}, {}
local now, sort = {}, {}
local sets, deletes = false, false
for i = 1, #ARGV, 6 do
  local key, condition = KEYS[tonumber(ARGV[i + 1])], ARGV[i + 2]
  local version = now[key]
  if version == nil then
    version = ${readVersion}
    if type(version) == 'table' or (version and not string.find(version, '^%d+$')) then
      foreign[key] = true
      version = ''
    elseif not version and redis.call('EXISTS', key) == 1 then
      version = ''
    end
    before[key] = version
  end
  if condition == 'f' then
    if version then return (i - 1) / 6 end
  elseif condition ~= '' and condition ~= version then
    return (i - 1) / 6
  end
  if ARGV[i] == 's' then
    now[key] = string.format('%.0f', (tonumber(version or 0) or 0) + 1)
    sets = true
  else
    now[key] = false
    deletes = true
  end
end
if sets and deletes then
  -- A full server refuses writes but not deletes: find out before the first delete. This command changes nothing.
  local full = redis.pcall('SETRANGE', KEYS[1], 0, '')
  if type(full) == 'table' and full.err and string.find(full.err, 'OOM', 1, true) then return full end
end
for i = 1, #ARGV, 6 do
  local key = KEYS[tonumber(ARGV[i + 1])]
  local version = before[key]
  if ARGV[i] == 'd' then
    redis.call('DEL', key)
    before[key] = false
  else
    if foreign[key] then
      redis.call('DEL', key)
    end
    local next = string.format('%.0f', (tonumber(version or 0) or 0) + 1)
    local flags = ARGV[i + 5]
${write}    if ARGV[i + 4] ~= '' then
      redis.call('PEXPIRE', key, ARGV[i + 4])
    elseif version then
      redis.call('PERSIST', key)
    end
    before[key] = next
  end
  foreign[key] = nil
end
return -1
`
}

const readHash = "redis.pcall('HGET', key, 'version')"
const writeHash = `    if flags == '' then
      redis.call('HSET', key, 'data', ARGV[i + 3], 'version', next)
    elseif flags == 'b' then
      redis.call('HSET', key, 'data', ARGV[i + 3], 'version', next, 'binary', next)
    elseif flags == 'w' then
      redis.call('HSET', key, 'data', ARGV[i + 3], 'version', next, 'first-write', 0)
    else
      redis.call('HSET', key, 'data', ARGV[i + 3], 'version', next, 'first-write', 0, 'binary', next)
    end
`

export const applyLua = applying(readHash, writeHash)

/**
 * The same where some rows are JSON documents (the module RedisJSON): `{ "data": ..., "first-write": 0, "version": 1 }`.
 * A row of the other sort is replaced.
 */
export const applyDocumentsLua = applying(
  "string.find(ARGV[i + 5], 'j', 1, true) and redis.pcall('JSON.GET', key, '.version') or redis.pcall('HGET', key, 'version')",
  `    local document = string.find(flags, 'j', 1, true) ~= nil
    if sort[key] ~= nil and sort[key] ~= document then redis.call('DEL', key) end
    sort[key] = document
    if document then
      local first = string.find(flags, 'w', 1, true) and ',"first-write":0' or ''
      redis.call('JSON.SET', key, '$', '{"data":' .. ARGV[i + 3] .. first .. ',"version":' .. next .. '}')
    else
      flags = string.gsub(flags, 'j', '')
${writeHash}    end
`,
)

/** A JSON document: its value, its version and the milliseconds that are left to it; nothing where there is none. */
export const readDocumentLua = `
local data = redis.pcall('JSON.GET', KEYS[1], '.data')
if type(data) ~= 'string' then return false end
local version = redis.pcall('JSON.GET', KEYS[1], '.version')
return {data, type(version) == 'string' and version or false, redis.call('PTTL', KEYS[1])}
`
