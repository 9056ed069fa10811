/**
 * The front door: the one TCP port. Decisions, events, health and metrics are answered here, with the
 * other processes dead; everything else is passed on to keep.
 *
 * What always holds here: a request is authorised against the published snapshot before its body is
 * looked at; every refusal is a problem document with a code and an action; bodies, rows and requests
 * in flight are bounded. The door of an ephemeral start alone asks nobody who they are, and therefore
 * listens on loopback alone.
 */
export { openLoopbackDoor, refuseReachable } from './loopback.ts'
export { deploymentsDirectory, startDecide } from './start.ts'
export type { DecideLog, ModelsRemote, RunningDecide, StartDecideOptions } from './start.ts'
