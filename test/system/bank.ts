// A running bank for the tests of a file: its server, those who ask it, and its end.
import { afterAll, beforeAll } from 'vitest'
import { createClient, type Client } from './client.ts'
import { allDone, run, startServer, temporaryDirectory, type TestServer } from './server.ts'

interface BankOptions {
  /** The tiny project without. */
  readonly project?: string
  /** Done to its home between a first start and the one that is tested. */
  readonly between?: (home: string) => void
}

export interface RunningBank {
  readonly home: string
  /** Once the tests run. */
  readonly server: TestServer
  readonly admin: Client
  /** Somebody with a key of their own, made when the bank starts. */
  person(name: string, role: string): Client
}

/** Started before the tests of this file, until its pipeline is done; it must end well after them. */
export function runningBank(name: string, { project, between }: BankOptions = {}): RunningBank {
  const home = temporaryDirectory(name)
  const keys = new Map<string, string | undefined>()
  const people: { readonly name: string; readonly role: string }[] = []
  let server: TestServer | undefined
  const started = () => {
    if (server === undefined) throw new Error('The bank starts before the tests do, not earlier.')
    return server
  }
  const open = async () => {
    server = await startServer({ home, ...(project !== undefined && { project }) })
    await server.printed(allDone)
    return server
  }
  const clientOf = (who: string) => later(() => createClient(started().url, keys.get(who)))
  beforeAll(async () => {
    const { key, stop } = await open()
    keys.set('', key)
    if (between !== undefined) {
      await stop()
      between(home)
      await open()
    }
    for (const each of people) keys.set(each.name, createKey(home, each.name, each.role))
  }, 240_000)
  mustEndWell(() => server)
  return {
    home,
    get server() {
      return started()
    },
    admin: clientOf(''),
    person(name, role) {
      people.push({ name, role })
      return clientOf(name)
    },
  }
}

/** The key of a new person, or with `--program` of a program. */
export function createKey(home: string, name: string, role: string, ...more: string[]): string {
  const made = run(['keys', 'create', '--name', name, '--role', role, ...more, '--home', home])
  const key = /ak_[\w-]{43}/.exec(made.out)?.[0]
  if (key === undefined) throw new Error(`No key was made for ${name}: ${made.out}${made.err}`)
  return key
}

/** Stops the server of a file after its tests; one that does not end as it should fails them. */
export function mustEndWell(of: () => TestServer | undefined): void {
  afterAll(async () => {
    const server = of()
    if (server === undefined) return
    const code = await server.stop()
    if (code !== 0) throw new Error(`The server ended with ${String(code)}.`)
  })
}

/** A client that is made when it is first asked. */
function later(make: () => Client): Client {
  let made: Client | undefined
  const client = () => (made ??= make())
  return {
    send: (...given) => client().send(...given),
    ask: (...given) => client().ask(...given),
    refusal: (...given) => client().refusal(...given),
    get: (...given) => client().get(...given),
  }
}
