// `assay learn`: from any table to an honest comparison of models.
import { InvalidArgumentError, type Command } from 'commander'
import { env, examples, homeOption } from './options.ts'
import type { Actions, LearnOptions } from './program.ts'

export function addLearnCommand(
  program: Command,
  actions: Actions,
  then: <A extends unknown[]>(
    act: (...args: A) => Promise<number>,
  ) => (...args: A) => Promise<void>,
): void {
  program
    .command('learn')
    .description('learn one column of any table from the others, and judge honestly how well')
    .argument('<file>', 'CSV (any delimiter, with or without a header), gzip CSV or Parquet')
    .addOption(env('--target <column>', 'the column to learn', 'TARGET').makeOptionMandatory())
    .addOption(
      env('--positive <value>', 'the class that is looked for; the rarer of two', 'POSITIVE'),
    )
    .addOption(
      env('--task <task>', 'what the target is; recognised from its values', 'TASK').choices([
        'binary',
        'multiclass',
        'regression',
      ]),
    )
    .addOption(env('--drop <columns>', 'columns to leave out: A,B,"C, with a comma"', 'DROP'))
    .addOption(
      env('--group <column>', 'keep rows of one value together: a customer, for example', 'GROUP'),
    )
    .addOption(env('--time <column>', 'learn from earlier rows and judge on later ones', 'TIME'))
    .addOption(env('--test <file>', 'judge on this file instead of on parts of the first', 'TEST'))
    .addOption(
      env(
        '--goal <goal>',
        'what the best is best at: auc, recall@precision=0.9, cost=1:20 (of a false alert and a miss), …',
        'GOAL',
      ),
    )
    .addOption(env('--seed <n>', 'for all that is random', 'SEED').argParser(whole).default(1))
    .addOption(
      env('--report <file>', 'HTML report to write; FILE-TARGET.report.html by default', 'REPORT'),
    )
    .addOption(
      env('--register <model>', 'register the best as the next version of this model', 'REGISTER'),
    )
    .option('--json', 'end with one line of JSON', false)
    .addOption(homeOption())
    .addHelpText(
      'after',
      examples(
        'assay learn loans.csv --target default --positive yes',
        'assay learn payments.parquet --target fraud --time paid_at --group customer --goal recall@precision=0.8',
        'assay learn adult.data.gz --target column14 --test adult.test.gz --json',
      ),
    )
    .action(then((file: string, options: LearnOptions) => actions.learn(file, options)))
}

function whole(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new InvalidArgumentError('It is a whole number from 0.')
}
