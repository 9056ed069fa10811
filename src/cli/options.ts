// Options that several commands share, and how they are written.
import { InvalidArgumentError, Option } from 'commander'

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
