/**
 * Redis, or Valkey: online values for readers outside this process. It speaks plain commands and
 * one Lua script, no modules, so that any server since Redis 6.2 and any Valkey serves. What it holds
 * is a copy: where it is lost, publishing writes it again.
 */
export { openRedisOnlineValues, type RedisOnlineOptions } from './online-values.ts'
