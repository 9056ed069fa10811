// What the commands of the command line do, all but `start`. Each is loaded when it is called, so
// that `--help` and `decide` do not wait for engines that they never use.
import type { Actions, Terminal } from '../../cli/index.ts'

export type CommandActions = Omit<Actions, 'start'>

export function createCommandActions(terminal: Terminal): CommandActions {
  return {
    open: async (options) => (await import('./open.ts')).open(options, terminal),
    init: async (directory, options) =>
      (await import('./init.ts')).init(directory, options, terminal),
    run: async (project, options) => (await import('./run.ts')).run(project, options, terminal),
    ingest: async (files, options) =>
      (await import('./ingest.ts')).ingest(files, options, terminal),
    decide: async (file, options) => (await import('./decide.ts')).decide(file, options, terminal),
    score: async (file, options) => (await import('./score.ts')).score(file, options, terminal),
    backtest: async (options) => (await import('./backtest.ts')).backtest(options, terminal),
    serve: async (model, options) => (await import('./serve.ts')).serve(model, options, terminal),
    learn: async (file, options) => (await import('./learn.ts')).learn(file, options, terminal),
    reproduce: async (named, options) =>
      (await import('./reproduce.ts')).reproduce(named, options, terminal),
    repair: async (options) => (await import('./repair.ts')).repair(options, terminal),
    data: async (act, options) => (await import('./data.ts')).data(act, options, terminal),
    endpoints: async (act, options) =>
      (await import('./endpoints.ts')).endpoints(act, options, terminal),
    policies: async (act, options) =>
      (await import('./policies.ts')).policies(act, options, terminal),
    lists: async (act, options) => (await import('./policies.ts')).lists(act, options, terminal),
    models: async (act, options) => (await import('./models.ts')).models(act, options, terminal),
    backup: async (options) => (await import('./backup.ts')).backup(options, terminal),
    backupVerify: async (place, options) =>
      (await import('./backup.ts')).backupVerify(place, options, terminal),
    restore: async (place, options) =>
      (await import('./restore.ts')).restore(place, options, terminal),
    upgrade: async (options) => (await import('./upgrade.ts')).upgrade(options, terminal),
    housekeeping: async (options) =>
      (await import('./housekeeping.ts')).housekeeping(options, terminal),
    experiments: async (act, options) =>
      (await import('./experiments.ts')).experiments(act, options, terminal),
    logsParse: async (file, options) =>
      (await import('./logs-parse.ts')).logsParse(file, options, terminal),
    logsVisitors: async (file, options) =>
      (await import('./logs-visitors.ts')).logsVisitors(file, options, terminal),
    featuresList: async (project, options) =>
      (await import('./features-list.ts')).featuresList(project, options, terminal),
    featuresShow: async (feature, project) =>
      (await import('./features-list.ts')).featuresShow(feature, project, terminal),
    featuresAudit: async (options) =>
      (await import('./features-audit.ts')).featuresAudit(options, terminal),
    featuresMaterialize: async (options) =>
      (await import('./features-materialize.ts')).featuresMaterialize(options, terminal),
    featuresGraphs: async (options) =>
      (await import('./features-graphs.ts')).featuresGraphs(options, terminal),
    featuresHistory: async (project, options) =>
      (await import('./features-history.ts')).featuresHistory(project, options, terminal),
    auditVerify: async (options) =>
      (await import('./audit-verify.ts')).auditVerify(options, terminal),
    auditExport: async (file, options) =>
      (await import('./audit-export.ts')).auditExport(file, options, terminal),
    pipelinesList: async (options) =>
      (await import('./pipelines.ts')).pipelinesList(options, terminal),
    pipelinesShow: async (name, options) =>
      (await import('./pipelines.ts')).pipelinesShow(name, options, terminal),
    pipelinesRun: async (name, options) =>
      (await import('./pipelines.ts')).pipelinesRun(name, options, terminal),
    pipelinesRuns: async (options) =>
      (await import('./pipelines-runs.ts')).pipelinesRuns(options, terminal),
    pipelinesBackfills: async (options) =>
      (await import('./pipelines-backfill.ts')).pipelinesBackfills(options, terminal),
    pipelinesExplain: async (run, options) =>
      (await import('./pipelines-runs.ts')).pipelinesExplain(run, options, terminal),
    pipelinesLogs: async (run, step, options) =>
      (await import('./pipelines-runs.ts')).pipelinesLogs(run, step, options, terminal),
    pipelinesCancel: async (run, options) =>
      (await import('./pipelines-runs.ts')).pipelinesCancel(run, options, terminal),
    pipelinesApprove: async (run, step, options) =>
      (await import('./pipelines-runs.ts')).pipelinesApprove(run, step, options, terminal),
    pipelinesStep: async (pipeline, step, options) =>
      (await import('./pipelines-step.ts')).pipelinesStep(pipeline, step, options, terminal),
    pipelinesLock: async (options) =>
      (await import('./pipelines-lock.ts')).pipelinesLock(options, terminal),
    pipelinesCheck: async (options) =>
      (await import('./pipelines-lock.ts')).pipelinesCheck(options, terminal),
    actionsList: async (options) => (await import('./actions.ts')).actionsList(options, terminal),
    actionsRedrive: async (policy, action, options) =>
      (await import('./actions.ts')).actionsRedrive(policy, action, options, terminal),
    setAsideList: async (options) => (await import('./actions.ts')).setAsideList(options, terminal),
    setAsideResend: async (sequence, options) =>
      (await import('./actions.ts')).setAsideResend(sequence, options, terminal),
    decisionsRetain: async (options) =>
      (await import('./decisions-retain.ts')).decisionsRetain(options, terminal),
    decisionsHolds: async (options) =>
      (await import('./decisions-retain.ts')).decisionsHolds(options, terminal),
    decisionsHold: async (name, options) =>
      (await import('./decisions-retain.ts')).decisionsHold(name, options, terminal),
    decisionsRelease: async (name, options) =>
      (await import('./decisions-retain.ts')).decisionsRelease(name, options, terminal),
    decisionsExport: async (options) =>
      (await import('./decisions-export.ts')).decisionsExport(options, terminal),
    noveltySessions: async (options) =>
      (await import('./novelty-sessions.ts')).noveltySessions(options, terminal),
    noveltyStream: async (file, options) =>
      (await import('./novelty-stream.ts')).noveltyStream(file, options, terminal),
    noveltyPatterns: async (options) =>
      (await import('./novelty-patterns.ts')).noveltyPatterns(options, terminal),
    keysList: async (options) => (await import('./keys.ts')).keysList(options, terminal),
    keysCreate: async (options) => (await import('./keys.ts')).keysCreate(options, terminal),
    keysRevoke: async (id, options) =>
      (await import('./keys.ts')).keysRevoke(id, options, terminal),
    keysReset: async (options) => (await import('./keys.ts')).keysReset(options, terminal),
  }
}
