// `assay policies` and `assay lists`: what people change of a policy that decides, from the terminal.
import type { Command } from 'commander'
import { env, examples, homeOption } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

export type PoliciesAct =
  | { readonly act: 'show'; readonly policy: string }
  | { readonly act: 'draft' | 'check' | 'try'; readonly policy: string; readonly file: string }
  | {
      readonly act: 'shadow' | 'propose' | 'approve' | 'refuse' | 'withdraw'
      readonly policy: string
      readonly draft: string
    }
  | { readonly act: 'pause' | 'resume'; readonly policy: string; readonly rule: string }

export type ListsAct =
  | { readonly act: 'show'; readonly list?: string | undefined }
  | { readonly act: 'add' | 'remove'; readonly list: string; readonly values: readonly string[] }

/** Each command has those that it declares. */
export interface PoliciesOptions extends HomeOptions {
  readonly json: boolean
  readonly url?: string
  readonly keyFile?: string
  readonly reason?: string
  /** Of a draft that is changed. */
  readonly draft?: string
  /** ISO 8601, by the bank's clock. */
  readonly until?: string
  readonly file?: string
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

export function addPoliciesCommands(program: Command, actions: Actions, then: Then): void {
  const policies = program
    .command('policies')
    .description('decision policies: drafts of them, and rules that are paused')
  const command = makeCommand(policies)
  const policy = 'the name of the policy'

  command(
    'show',
    'show what is live, its paused rules and its drafts, or one of these',
    'assay policies show card-fraud',
  )
    .argument('<policy>', policy)
    .addOption(env('--draft <id>', 'one draft; with --json as it is changed and saved', 'DRAFT'))
    .action(
      then((name: string, options: PoliciesOptions) =>
        actions.policies({ act: 'show', policy: name }, options),
      ),
    )
  for (const [act, description] of [
    [
      'check',
      'look at a draft without keeping it: mistakes with their place, tests, what changes (exit code 3 where one does not hold)',
    ],
    ['try', 'answer the last 1,000 decisions again by a draft'],
    ['draft', 'keep a draft, or a change of one'],
  ] as const) {
    const made = command(act, description, `assay policies ${act} card-fraud draft.json`)
      .argument('<policy>', policy)
      .argument(
        '<file>',
        'JSON as `assay policies show --json` prints it: "parts", and with --draft "tests" and "binds"',
      )
    if (act === 'draft') {
      made
        .addOption(reason())
        .addOption(
          env('--draft <id>', 'the draft to change; the file says as what it was read', 'DRAFT'),
        )
    }
    made.action(
      then((name: string, file: string, options: PoliciesOptions) =>
        actions.policies({ act, policy: name, file }, options),
      ),
    )
  }
  for (const [act, description] of [
    ['shadow', 'run what a draft changes beside the live rules, answering nothing'],
    ['propose', 'ask two people who did not write a draft to approve it'],
    ['approve', 'approve a draft as it is now; the second approval sends it to traffic'],
    ['refuse', 'refuse a draft'],
    ['withdraw', 'end a draft'],
  ] as const) {
    command(act, description, `assay policies ${act} card-fraud draft_01k…`)
      .argument('<policy>', policy)
      .argument('<draft>', 'its id')
      .addOption(reason())
      .action(
        then((name: string, draft: string, options: PoliciesOptions) =>
          actions.policies({ act, policy: name, draft }, options),
        ),
      )
  }
  for (const [act, description] of [
    ['pause', 'pause a rule at once; another person reviews it afterwards'],
    ['resume', 'propose that a paused rule goes on; another person confirms it on the page'],
  ] as const) {
    command(act, description, `assay policies ${act} card-fraud amount-above-220`)
      .argument('<policy>', policy)
      .argument('<rule>', 'its name')
      .addOption(reason())
      .action(
        then((name: string, rule: string, options: PoliciesOptions) =>
          actions.policies({ act, policy: name, rule }, options),
        ),
      )
  }
}

export function addListsCommands(program: Command, actions: Actions, then: Then): void {
  const lists = program
    .command('lists')
    .description('lists that rules ask: what is on them, who put it there and until when')
  const command = makeCommand(lists)
  command('show', 'show all lists, or the entries of one', 'assay lists show blocked')
    .argument('[list]', 'its name')
    .action(
      then((list: string | undefined, options: PoliciesOptions) =>
        actions.lists({ act: 'show', list }, options),
      ),
    )
  for (const [act, description] of [
    ['add', 'put values on a list; they count from the next decision on'],
    ['remove', 'take values off a list'],
  ] as const) {
    const made = command(
      act,
      description,
      `assay lists ${act} blocked 4711 4712 --reason "Case 17"`,
    )
      .argument('<list>', 'its name')
      .argument('[values...]', 'at most 10,000')
      .addOption(
        env('--file <csv>', 'one value a line, or CSV with the column of the list', 'FILE'),
      )
      .addOption(reason())
    if (act === 'add') {
      made.addOption(
        env('--until <time>', 'ISO 8601, by the bank’s clock; for good without', 'UNTIL'),
      )
    }
    made.action(
      then((list: string, values: string[], options: PoliciesOptions) =>
        actions.lists({ act, list, values }, options),
      ),
    )
  }
}

const reason = () => env('--reason <text>', 'kept in the audit log', 'REASON')

function makeCommand(parent: Command) {
  return (name: string, description: string, example: string) =>
    parent
      .command(name)
      .description(description)
      .option('--json', 'print JSON', false)
      .addOption(
        env('--key-file <file>', 'file that holds your key: who does it counts', 'KEY_FILE'),
      )
      .addOption(env('--url <address>', 'another server than that of the home directory', 'URL'))
      .addOption(homeOption())
      .addHelpText('after', examples(example))
}
