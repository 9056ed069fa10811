// Options that several commands share, and how they are written.
import { InvalidArgumentError, Option, type Command } from 'commander'

export function env(flags: string, description: string, variable: string): Option {
  return new Option(flags, description).env(`ASSAY_${variable}`)
}

export function homeOption(): Option {
  return env('--home <directory>', 'directory in which everything is kept', 'HOME').default(
    '.assay',
  )
}

export function projectOption(): Option {
  return env('--project <folder>', 'folder of the project', 'PROJECT').default('.')
}

/** Execution providers of onnxruntime-node; the processor, where none is named. */
export function deviceOption(): Option {
  return env(
    '--device <name>',
    'what computes a graph of ONNX Runtime, whole or not at all; the processor by default',
    'DEVICE',
  ).choices(['cuda', 'tensorrt', 'dml', 'coreml', 'webgpu'])
}

/** Of commands that otherwise act through the home, as whoever may use the machine. */
export function personOptions(command: Command): Command {
  return command
    .addOption(
      env('--key-file <file>', 'file that holds your key: ask the server as yourself', 'KEY_FILE'),
    )
    .addOption(
      env('--url <address>', 'another server than that of the home; with --key-file', 'URL'),
    )
}

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`
}

export function port(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new InvalidArgumentError('It is a whole number from 0 (any free port) to 65535.')
  }
  return number
}

const units = { MB: 2 ** 20, GB: 2 ** 30 } as const

/** `512MB` or `4GB`, in bytes. */
export function bytes(text: string): number {
  const [, digits, unit] = /^(\d{1,6})(MB|GB)$/.exec(text) ?? []
  const size = Number(digits) * units[unit as keyof typeof units]
  if (!(size > 0)) throw new InvalidArgumentError('Write a size like 512MB or 4GB.')
  return size
}

/** `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS. */
export function redisAddress(text: string): string {
  if (/^rediss?:\/\/./.test(text) && URL.canParse(text)) return text
  throw new InvalidArgumentError('Write an address such as redis://127.0.0.1:6379.')
}

/** `NAME=VALUE`, given once for each name. */
export function named(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (name === undefined) throw new InvalidArgumentError('Write it as NAME=VALUE.')
  if (before?.[name] !== undefined) throw new InvalidArgumentError(`${name} is given twice.`)
  return { ...before, [name]: value }
}
