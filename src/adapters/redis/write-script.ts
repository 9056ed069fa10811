/**
 * Takes the entities of one batch, each whole or not at all and only where it is not older than
 * what stands there. It runs inside the server, so nothing comes between look and write.
 *
 * KEYS: the register, then a key an entity. ARGV: the set's field in the register; its text there
 * as the writer knows it; time to live in milliseconds (0: for ever); the number of features; their
 * names; then for each entity its sequence, its event time and its values.
 *
 * Returns how many were taken; −1 where the register has no such set, −2 where it has changed. Both
 * texts of a register are compared here, so that a writer that was away never writes to a set that
 * was retired meanwhile. A key that holds something else is the error `ASSAY_DAMAGED n`.
 */
export const WRITE_SCRIPT = `
local registered = redis.call('HGET', KEYS[1], ARGV[1])
if not registered then return -1 end
if registered ~= ARGV[2] then return -2 end
local features = tonumber(ARGV[4])
local at, taken = 4 + features, 0
for k = 2, #KEYS do
  local key = KEYS[k]
  local old = redis.pcall('HMGET', key, '@sequence', '@as_of_us')
  if old.err then return redis.error_reply('ASSAY_DAMAGED ' .. (k - 1)) end
  local sequence, as_of = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local old_sequence, old_as_of = tonumber(old[1] or -1), tonumber(old[2] or 0)
  if not old_sequence or not old_as_of then
    return redis.error_reply('ASSAY_DAMAGED ' .. (k - 1))
  end
  if sequence > old_sequence or (sequence == old_sequence and as_of >= old_as_of) then
    local fields = { '@sequence', ARGV[at + 1], '@as_of_us', ARGV[at + 2] }
    for f = 1, features do
      fields[2 * f + 3] = ARGV[4 + f]
      fields[2 * f + 4] = ARGV[at + 2 + f]
    end
    redis.call('HSET', key, unpack(fields))
    if ARGV[3] == '0' then
      redis.call('PERSIST', key)
    else
      redis.call('PEXPIRE', key, ARGV[3])
    end
    taken = taken + 1
  end
  at = at + 2 + features
end
return taken
`
