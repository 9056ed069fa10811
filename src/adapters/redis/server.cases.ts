// A real Redis (or Valkey) server for tests: on a free port, with a temporary directory, saving
// nothing. It is ended with the test.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestServer {
  readonly port: number
  readonly url: string
  readonly executable: string
  /** As a power cut: nothing is said to the clients. */
  kill(): Promise<void>
  /** Stops the process where it stands; connections stay open and nothing answers. */
  freeze(): void
  thaw(): void
  /** Again on the same port, empty. */
  start(): Promise<void>
  end(): Promise<void>
}

export async function startTestServer(
  executable: string,
  ...options: readonly string[]
): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'assay-redis-'))
  const port = await freePort()
  const tls = options.includes('--tls-port')
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const own = tls ? ['--port', '0'] : ['--port', String(port)]
    const rest = options.map((option) => option.replaceAll('$PORT', String(port)))
    const fixed = ['--bind', '127.0.0.1', '--save', '', '--dir', directory, ...own]
    child = spawn(executable, [...fixed, ...rest], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout?.on('data', (data) => (output += String(data)))
    child.stderr?.on('data', (data) => (output += String(data)))
    for (let attempt = 0; attempt < 3_000; attempt++) {
      if (child.exitCode !== null) break
      if (await accepts(port)) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`The Redis server did not start:\n${output.slice(-2000)}`)
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  const atExit = () => child?.kill('SIGKILL')
  process.once('exit', atExit)
  const end = async () => {
    await kill()
    process.off('exit', atExit)
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await start()
  } catch (error) {
    await end()
    throw error
  }
  return {
    port,
    url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    executable,
    start,
    kill,
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    end,
  }
}

/** What an ordinary client says: `redis-cli`, where the server's package brings it. */
export function redisCli(server: TestServer, ...command: readonly string[]): string {
  const cli = server.executable.replace(/-server$/, '-cli')
  const { stdout, stderr, status } = spawnSync(cli, ['-p', String(server.port), ...command])
  if (status !== 0) throw new Error(`${cli} failed: ${String(stderr)}`)
  return String(stdout)
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
