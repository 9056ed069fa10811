// The reference page of the command line is written from the program itself. After a change of it:
// `UPDATE=1 npm test -- test/cli-docs.test.ts` writes the page anew.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Argument, Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { createProgram, exitCodes, type Actions } from '../src/cli/index.ts'
import { repositoryRoot } from './source-text.ts'

const page = join(repositoryRoot, 'docs', 'reference', 'cli.md')
const program = createProgram('0.0.0', {} as Actions, () => {})
const commands = leaves(program)

const introduction = `# The command line

\`npx assay COMMAND\`; in this repository \`node bin/assay.js COMMAND\`. Results go to standard output, everything about how it went to standard error, so that a pipe carries results alone. Colours appear on a terminal only, and not where \`NO_COLOR\` is set.

Every option with a variable can be given by it; the option wins. Secrets are read from files.

This page is written from the program and checked against it by \`test/cli-docs.test.ts\`.

## Exit codes

| code | meaning |
|---|---|
| ${exitCodes.ok} | It worked. Rows in quarantine are no failure. |
| ${exitCodes.failed} | It failed; standard error says why and what to do ([errors](errors.md)). |
| ${exitCodes.usage} | An option, an argument or a command is wrong; nothing was done. |
| ${exitCodes.notHeld} | The check that was asked for does not hold: no version passed its gate, the log is not what was signed, or an archive of log lines is damaged and was read up to there. |
| ${exitCodes.busy} | Another process holds the home directory, the port or the socket. |
`

test('the page lists every command with its options and examples, as the program has them', () => {
  const expected = [introduction, ...commands.map(section)].join('\n')
  if (process.env['UPDATE'] === '1') writeFileSync(page, expected)
  expect(readFileSync(page, 'utf8')).toBe(expected)
})

describe('every command', () => {
  test.each(commands.map((command) => [nameOf(command), command] as const))(
    '%s has a description and an example that calls it',
    (name, command) => {
      expect(command.description()).not.toBe('')
      expect(examplesOf(command)).toContain(`assay ${name}`)
    },
  )

  test('has no option without a description, and no variable twice with another meaning', () => {
    const meanings = new Map<string, string>()
    for (const { flags, description, envVar } of commands.flatMap(({ options }) => options)) {
      expect(description, flags).not.toBe('')
      if (envVar === undefined) continue
      expect(meanings.get(envVar) ?? flags, envVar).toBe(flags)
      meanings.set(envVar, flags)
    }
  })
})

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
}

function nameOf(command: Command): string {
  const above =
    command.parent === null || command.parent.parent === null ? '' : `${nameOf(command.parent)} `
  return above + command.name()
}

function section(command: Command): string {
  const parts = [`## assay ${nameOf(command)}\n`, `${sentence(command.description())}\n`]
  parts.push(`    assay ${nameOf(command)} ${command.usage()}\n`)
  const listed = [
    ...command.registeredArguments.map(
      (argument) =>
        `| \`${shown(argument)}\` |  | ${cell(argument.description)}${given(argument.defaultValue)} |`,
    ),
    ...command.options.map(({ flags, envVar, description, defaultValue, argChoices }) => {
      const variable = envVar === undefined ? '' : `\`${envVar}\``
      const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`
      return `| \`${flags}\` | ${variable} | ${cell(description)}${choices}${given(defaultValue)} |`
    }),
  ]
  if (listed.length > 0) parts.push(['| | variable | |', '|---|---|---|', ...listed, ''].join('\n'))
  parts.push(`${examplesOf(command)}\n`)
  return parts.join('\n')
}

function shown(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

function given(defaultValue: unknown): string {
  const worthSaying = typeof defaultValue === 'string' || typeof defaultValue === 'number'
  return worthSaying ? ` (\`${defaultValue}\` by default)` : ''
}

/** The examples of the help text, as an indented block. */
function examplesOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
  const examples = help.split('Examples:\n')[1] ?? ''
  return examples.trimEnd().replaceAll(/^ {2}\$ /gm, '    ')
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
