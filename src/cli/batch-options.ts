// Options of the commands that score many rows, which can go on where they were stopped.
import { InvalidArgumentError, Option } from 'commander'
import { env } from './options.ts'

const REASONS_MAX = 20

export function outOption(): Option {
  return env('--out <file>', 'CSV or Parquet to write; CSV to standard output by default', 'OUT')
}

export function rejectsOption(): Option {
  return env(
    '--rejects <file>',
    'CSV of the rows that are refused, each with its reason; beside --out by default',
    'REJECTS',
  )
}

export function freshOption(): Option {
  return new Option('--fresh', 'begin anew instead of going on where a run was stopped').default(
    false,
  )
}

export function countOfReasons(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0 && number <= REASONS_MAX) return number
  throw new InvalidArgumentError(`It is a whole number up to ${REASONS_MAX}.`)
}
