// Where the program begins: a command, or one of the roles that `assay start` supervises.
import {
  exitCodes,
  processTerminal,
  roleChannel,
  runCommandLine,
  type Actions,
  type RoleName,
} from './cli/index.ts'
import { AssayError } from './lib/errors.ts'
import { roleConfig, version } from './roles/config.ts'

const [, , first, second] = process.argv
if (first === 'role') await runRole(second as RoleName)
else await runCommand()

/** A role loads only what it needs, so that `decide` is up before `work` has read its engines. */
async function runRole(role: RoleName): Promise<void> {
  const channel = roleChannel()
  const config = roleConfig()
  const fatal = (error: unknown) => {
    const known = error instanceof AssayError
    const message = known
      ? `${error.detail}\n${error.action}`
      : String((error as Error).stack ?? error)
    channel.send({
      type: 'fatal',
      message,
      exitCode: known && error.status === 409 ? exitCodes.busy : exitCodes.failed,
    })
    setTimeout(() => process.exit(1), 50)
  }
  try {
    const running = await startRole(role)
    channel.onStop(() => running.stop())
    channel.send({ type: 'ready', detail: running.detail })
  } catch (error) {
    const { orHomeFull } = await import('./projects/index.ts')
    fatal(orHomeFull({ root: config.home }, error))
  }

  async function startRole(name: RoleName) {
    switch (name) {
      case 'decide': {
        const { startDecide } = await import('./roles/decide.ts')
        // A journal that failed for good recovers by a restart: the supervisor sees to it.
        return startDecide(config, (error) => {
          process.stderr.write(`decide: ${error.message}\n`)
          process.exit(70)
        })
      }
      case 'keep': {
        const { startKeep } = await import('./roles/keep.ts')
        return startKeep(config)
      }
      case 'work': {
        const { startWork } = await import('./roles/work.ts')
        return startWork(config, {
          onProgress: (run) => channel.send({ type: 'progress', detail: { run } }),
          onDone: (outcome) => channel.send({ type: 'progress', detail: { outcome } }),
        })
      }
    }
  }
}

async function runCommand(): Promise<void> {
  const { createCommandActions } = await import('./roles/commands/index.ts')
  const terminal = processTerminal()
  const actions: Actions = {
    ...createCommandActions(terminal),
    start: async (options) =>
      options.ephemeral
        ? (await import('./roles/ephemeral.ts')).startEphemeral(options)
        : (await import('./roles/start.ts')).start(options),
  }
  const code = await runCommandLine(version, actions, process.argv.slice(2), terminal)
  // What a command left open (sockets, timers) must not keep a person waiting.
  process.exit(code)
}
