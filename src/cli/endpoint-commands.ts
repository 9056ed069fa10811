// `assay models challenge …`: who answers a policy's traffic, changed by people with keys of their own.
import type { Command } from 'commander'
import { env, examples, homeOption } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

/** What a command does to the traffic of a policy. */
export type EndpointAct =
  | { readonly act: 'traffic'; readonly policy: string }
  | { readonly act: 'challenge'; readonly policy: string; readonly version: string }
  | { readonly act: 'confirm' | 'withdraw'; readonly policy: string; readonly proposal: string }
  | { readonly act: 'end'; readonly policy: string; readonly name: string }
  | { readonly act: 'suspend' | 'resume'; readonly policy: string }

export interface EndpointOptions extends HomeOptions {
  readonly json: boolean
  readonly url?: string
  readonly keyFile?: string
  readonly reason?: string
  readonly name?: string
  readonly mode?: 'live' | 'shadow'
  readonly share?: string
  readonly when?: string
  readonly sticky?: string
  /** Such as 0.05:60:500. */
  readonly step?: readonly string[]
  /** Such as psiMax=0.2. */
  readonly guard?: readonly string[]
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

const many = (value: string, before: readonly string[] = []) => [...before, value]

export function addEndpointCommands(models: Command, actions: Actions, then: Then): void {
  const command = (name: string, description: string, example: string) =>
    models
      .command(name)
      .description(description)
      .argument('<policy>', 'the decision policy that answers the traffic')
      .option('--json', 'print JSON', false)
      .addOption(homeOption())
      .addOption(
        env('--url <address>', 'address of the server; that of the home by default', 'URL'),
      )
      .addOption(env('--key-file <file>', 'file that holds your own key', 'KEY_FILE'))
      .addHelpText('after', examples(example))
  const reason = () => env('--reason <text>', 'kept in the audit log', 'REASON')

  command(
    'traffic',
    'show who answers a policy, how they do, and what waits for a second person',
    'assay models traffic card-fraud --key-file ada.key',
  ).action(
    then((policy: string, options: EndpointOptions) =>
      actions.endpoints({ act: 'traffic', policy }, options),
    ),
  )
  command(
    'challenge',
    'propose a version beside the champion; another person confirms it',
    'assay models challenge card-fraud 4 --mode live --step 0.05:60:500 --step 0.5:240:2000 --reason "Better on June" --key-file ada.key',
  )
    .argument('<version>', 'number of the version')
    .addOption(env('--name <name>', 'v4 for version 4 by default', 'NAME'))
    .addOption(
      env('--mode <mode>', 'shadow decides nothing', 'MODE')
        .choices(['shadow', 'live'])
        .default('shadow'),
    )
    .addOption(env('--share <share>', 'of the traffic, above 0 to 1', 'SHARE'))
    .addOption(env('--when <cel>', 'condition on event and features; live only', 'WHEN'))
    .addOption(env('--sticky <column>', 'the first key column by default', 'STICKY'))
    .option(
      '--step <share:minutes:decisions>',
      'a step of a canary, again for each further one; live only',
      many,
    )
    .option('--guard <name=value>', 'a guard other than usual, such as psiMax=0.2', many)
    .addOption(reason())
    .action(
      then((policy: string, version: string, options: EndpointOptions) =>
        actions.endpoints({ act: 'challenge', policy, version }, options),
      ),
    )
  for (const [act, description] of [
    ['confirm', 'confirm what another person proposed, which turns it on'],
    ['withdraw', 'take a proposal off the list'],
  ] as const) {
    command(act, description, `assay models ${act} card-fraud proposal_01… --reason "I agree"`)
      .argument('<proposal>', 'its id, as `assay models traffic` lists it')
      .addOption(reason())
      .action(
        then((policy: string, proposal: string, options: EndpointOptions) =>
          actions.endpoints({ act, policy, proposal }, options),
        ),
      )
  }
  command(
    'end',
    'end a challenger at once; another person looks at it afterwards',
    'assay models end card-fraud v4 --reason "Complaints"',
  )
    .argument('<name>', 'the challenger')
    .addOption(reason())
    .action(
      then((policy: string, name: string, options: EndpointOptions) =>
        actions.endpoints({ act: 'end', policy, name }, options),
      ),
    )
  for (const [act, description] of [
    ['suspend', 'ask the champion no more, at once; another person looks at it afterwards'],
    ['resume', 'propose that a suspended champion is asked again'],
  ] as const) {
    command(act, description, `assay models ${act} card-fraud --reason "It declines everyone"`)
      .addOption(reason())
      .action(
        then((policy: string, options: EndpointOptions) =>
          actions.endpoints({ act, policy }, options),
        ),
      )
  }
}
