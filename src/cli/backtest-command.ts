// `assay backtest`: what a draft of a policy would have answered on the past.
import { Option, type Command } from 'commander'
import { env, examples, homeOption, projectOption } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

export interface BacktestOptions extends HomeOptions {
  readonly project: string
  /** JSON of what the draft changes of the project's policy. */
  readonly policy?: string
  /** Days, YYYY-MM-DD, both included. */
  readonly from?: string
  readonly to?: string
  readonly over?: 'records' | 'history'
  /** A version of the policy's model in the champion's place. */
  readonly modelVersion?: number
  readonly json: boolean
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

export function addBacktestCommand(program: Command, actions: Actions, then: Then): void {
  program
    .command('backtest')
    .description('what a draft of the policy would have answered on events of the past')
    .addOption(projectOption())
    .addOption(
      env(
        '--policy <file>',
        'JSON of what the draft changes of the project’s policy: rules, lists, typologies, thresholds, …',
        'POLICY_FILE',
      ),
    )
    .addOption(env('--from <day>', 'first day, YYYY-MM-DD', 'FROM'))
    .addOption(env('--to <day>', 'last day, YYYY-MM-DD', 'TO'))
    .addOption(
      new Option(
        '--over <events>',
        'decisions as they were recorded, or all known events with their features worked out as they were; records where they reach back so far',
      ).choices(['records', 'history']),
    )
    .addOption(
      new Option(
        '--model-version <n>',
        'a version of the model in the place of the live one',
      ).argParser(Number),
    )
    .option('--json', 'print the whole report as one line of JSON', false)
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples(
        'assay backtest --from 2018-08-01 --to 2018-08-31',
        `echo '{"rules":[{"name":"huge","when":"event.amount > 900.0","then":"review","reason":"The amount is huge"}]}' > draft.json && assay backtest --policy draft.json`,
      ),
    )
    .action(then((options: BacktestOptions) => actions.backtest(options)))
}
