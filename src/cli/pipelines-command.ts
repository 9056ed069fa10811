// The commands under `assay pipelines`: what is declared, what ran and why, and each step by itself.
import { Option, type Command } from 'commander'
import { examples, homeOption, named, projectOption } from './options.ts'
import type { Actions, HomeOptions } from './program.ts'

interface InProject {
  readonly project: string
  readonly json: boolean
}
export interface PipelinesListOptions extends InProject {}
export interface PipelinesRunOptions extends InProject, HomeOptions {
  readonly param?: Readonly<Record<string, string>>
  readonly partition?: string
  readonly backfill?: string
  readonly from?: string
  readonly only?: string
  readonly cache: boolean
  readonly dryRun: boolean
  readonly detach: boolean
  readonly resume?: string
}
export interface PipelinesReadOptions extends HomeOptions {
  readonly json: boolean
}
export interface PipelinesRunsOptions extends PipelinesReadOptions {
  readonly pipeline?: string
}
export interface PipelinesLogsOptions extends HomeOptions {
  readonly attempt?: string
}
export interface PipelinesAnswerOptions extends HomeOptions {
  readonly reason: string
  readonly refuse?: boolean
  readonly keyFile?: string
}
export interface PipelinesStepOptions {
  readonly project: string
  readonly inputs?: string
  readonly out: string
  readonly param?: Readonly<Record<string, string>>
}
export interface PipelinesLockOptions extends InProject, HomeOptions {}

export interface PipelineActions {
  pipelinesList(options: PipelinesListOptions): Promise<number>
  pipelinesShow(name: string, options: PipelinesListOptions): Promise<number>
  pipelinesRun(name: string, options: PipelinesRunOptions): Promise<number>
  pipelinesRuns(options: PipelinesRunsOptions): Promise<number>
  pipelinesBackfills(options: PipelinesRunsOptions): Promise<number>
  pipelinesExplain(run: string, options: PipelinesReadOptions): Promise<number>
  pipelinesLogs(run: string, step: string, options: PipelinesLogsOptions): Promise<number>
  pipelinesCancel(runOrBackfill: string, options: PipelinesAnswerOptions): Promise<number>
  pipelinesApprove(run: string, step: string, options: PipelinesAnswerOptions): Promise<number>
  pipelinesStep(pipeline: string, step: string, options: PipelinesStepOptions): Promise<number>
  pipelinesLock(options: PipelinesLockOptions): Promise<number>
  pipelinesCheck(options: PipelinesListOptions): Promise<number>
}

type Then = <A extends unknown[]>(
  act: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>

const jsonOption = (command: Command) => command.option('--json', 'print JSON', false)
const paramOption = () =>
  new Option('--param <name=value>', 'a parameter; once for each').argParser(named)
const reasonOption = () => new Option('--reason <text>', 'why; it is audited').makeOptionMandatory()

/** Adds `pipelines` and the commands under it. */
export function addPipelineCommands(program: Command, actions: Actions, then: Then): void {
  const pipelines = program
    .command('pipelines')
    .description('declared pipelines: run, resume, explain, approve, lock')
  addDeclared(pipelines, actions, then)
  addRuns(pipelines, actions, then)
  addLock(pipelines, actions, then)
}

function addDeclared(pipelines: Command, actions: Actions, then: Then): void {
  jsonOption(pipelines.command('list').description('list the pipelines that a project declares'))
    .addOption(projectOption())
    .addHelpText('after', examples('assay pipelines list'))
    .action(then((options: PipelinesListOptions) => actions.pipelinesList(options)))
  jsonOption(
    pipelines.command('show').description('show a pipeline: steps, wires, parameters, triggers'),
  )
    .argument('<pipeline>', 'its name')
    .addOption(projectOption())
    .addHelpText('after', examples('assay pipelines show create-texts'))
    .action(
      then((name: string, options: PipelinesListOptions) => actions.pipelinesShow(name, options)),
    )
  jsonOption(
    pipelines
      .command('run')
      .description('run a pipeline here; steps that are unchanged are looked up, not run'),
  )
    .argument('<pipeline>', 'its name')
    .addOption(projectOption())
    .addOption(homeOption())
    .addOption(paramOption())
    .addOption(new Option('--partition <key>', 'the partition to run'))
    .addOption(
      new Option('--backfill <from..to>', 'all partitions from one to another that are not done'),
    )
    .addOption(new Option('--from <step>', 'run this step and all that follow from it anew'))
    .addOption(new Option('--only <steps>', 'run these steps alone, anew: a,b'))
    .option('--no-cache', 'look nothing up')
    .option('--dry-run', 'say what would run, and why', false)
    .option('--detach', 'let the server on this home run it, on its project', false)
    .addOption(new Option('--resume <run>', 'go on with a run that was broken off'))
    .addHelpText(
      'after',
      examples(
        'assay pipelines run create-texts --param days=14',
        'assay pipelines run daily --backfill 2026-03-01..2026-03-31',
        'assay pipelines run create-texts --from clean --dry-run',
      ),
    )
    .action(
      then((name: string, options: PipelinesRunOptions) => actions.pipelinesRun(name, options)),
    )
  pipelines
    .command('step')
    .description('run one step by itself, from files to files, as a container would')
    .argument('<pipeline>', 'its name')
    .argument('<step>', 'the step’s name in it')
    .addOption(projectOption())
    .addOption(new Option('--inputs <file>', 'JSON: input → path, or list of paths'))
    .addOption(
      new Option('--out <folder>', 'folder for outputs and result.json').makeOptionMandatory(),
    )
    .addOption(paramOption())
    .addHelpText(
      'after',
      examples(
        'assay pipelines step create-texts clean --inputs inputs.json --out out --param days=7',
      ),
    )
    .action(
      then((pipeline: string, step: string, options: PipelinesStepOptions) =>
        actions.pipelinesStep(pipeline, step, options),
      ),
    )
}

function addRuns(pipelines: Command, actions: Actions, then: Then): void {
  jsonOption(pipelines.command('runs').description('list runs, newest first'))
    .addOption(homeOption())
    .addOption(new Option('--pipeline <name>', 'only of this one'))
    .addHelpText('after', examples('assay pipelines runs --pipeline create-texts'))
    .action(then((options: PipelinesRunsOptions) => actions.pipelinesRuns(options)))
  jsonOption(pipelines.command('backfills').description('list backfills, newest first'))
    .addOption(homeOption())
    .addOption(new Option('--pipeline <name>', 'only of this one'))
    .addHelpText('after', examples('assay pipelines backfills --pipeline daily'))
    .action(then((options: PipelinesRunsOptions) => actions.pipelinesBackfills(options)))
  jsonOption(
    pipelines.command('explain').description('say of every step of a run why it ran, or did not'),
  )
    .argument('<run>', 'from `assay pipelines runs`')
    .addOption(homeOption())
    .addHelpText('after', examples('assay pipelines explain pipe_01jd8q6e5v0000000000000000'))
    .action(
      then((run: string, options: PipelinesReadOptions) => actions.pipelinesExplain(run, options)),
    )
  pipelines
    .command('logs')
    .description('print the log of a step')
    .argument('<run>', 'from `assay pipelines runs`')
    .argument('<step>', 'the step’s name')
    .addOption(homeOption())
    .addOption(new Option('--attempt <n>', 'which attempt; the last by default'))
    .addHelpText('after', examples('assay pipelines logs pipe_01jd8q6e5v0000000000000000 clean'))
    .action(
      then((run: string, step: string, options: PipelinesLogsOptions) =>
        actions.pipelinesLogs(run, step, options),
      ),
    )
  pipelines
    .command('cancel')
    .description('end a run or a backfill; what its steps have made stays')
    .argument('<run-or-backfill>', 'from `assay pipelines runs` or `backfills`')
    .addOption(homeOption())
    .addOption(reasonOption())
    .addHelpText(
      'after',
      examples(
        'assay pipelines cancel pipe_01jd8q6e5v0000000000000000 --reason "wrong month"',
        'assay pipelines cancel fill_01jd8q6e5v0000000000000000 --reason "wrong year"',
      ),
    )
    .action(
      then((id: string, options: PipelinesAnswerOptions) => actions.pipelinesCancel(id, options)),
    )
  pipelines
    .command('approve')
    .description(
      'answer an approval step; a person with the right to approve, who did not start the run',
    )
    .argument('<run>', 'from `assay pipelines runs`')
    .argument('<step>', 'the step that waits')
    .addOption(homeOption())
    .addOption(reasonOption())
    .addOption(
      new Option('--key-file <file>', 'file that holds the approver’s key').makeOptionMandatory(),
    )
    .option('--refuse', 'say no', false)
    .addHelpText(
      'after',
      examples(
        'assay pipelines approve pipe_01jd8q6e5v0000000000000000 look --reason "counts are as expected" --key-file ada.key',
      ),
    )
    .action(
      then((run: string, step: string, options: PipelinesAnswerOptions) =>
        actions.pipelinesApprove(run, step, options),
      ),
    )
}

function addLock(pipelines: Command, actions: Actions, then: Then): void {
  jsonOption(
    pipelines
      .command('lock')
      .description('write assay.lock.json: code, parameters and digests of the last good runs'),
  )
    .addOption(projectOption())
    .addOption(homeOption())
    .addHelpText('after', examples('assay pipelines lock'))
    .action(then((options: PipelinesLockOptions) => actions.pipelinesLock(options)))
  jsonOption(
    pipelines
      .command('check')
      .description('compare the project with assay.lock.json (exit code 1 where they differ)'),
  )
    .addOption(projectOption())
    .addHelpText('after', examples('assay pipelines check'))
    .action(then((options: PipelinesListOptions) => actions.pipelinesCheck(options)))
}
