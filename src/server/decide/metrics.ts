// `/metrics` of `decide`.
import type { monitorEventLoopDelay } from 'node:perf_hooks'
import type { DiskReport } from '../disk.ts'
import type { DecisionService, StreamFigures } from '../../decisions/index.ts'
import { histogram, labelled, metric, type Sample, tag, tags } from '../prometheus.ts'

export function metricsText(
  service: DecisionService,
  loop: ReturnType<typeof monitorEventLoopDelay>,
  streams: readonly StreamFigures[] = [],
  disk?: DiskReport,
  inference: readonly string[] = [],
): string {
  const { decisions, replayed, refused, rulesFailed, rulesPaused, ...figures } = service.metrics()
  const { unanswered, shadows, events, labels, latency } = figures
  const status = service.status()
  const lines = [
    ...metric(
      'assay_decisions_total',
      'counter',
      'Decisions made, by outcome.',
      labelled('outcome', decisions),
    ),
    ...metric('assay_answers_repeated_total', 'counter', 'Answers that had been given before.', [
      ['', replayed],
    ]),
    ...metric(
      'assay_requests_refused_total',
      'counter',
      'Requests refused, by code.',
      labelled('code', refused),
    ),
    ...metric(
      'assay_rules_failed_total',
      'counter',
      'Rules that could not be evaluated on an event, by rule; they do not fire.',
      labelled('rule', rulesFailed),
    ),
    ...metric(
      'assay_models_unanswered_total',
      'counter',
      'Decisions on which a model gave no answer, by its place: the next one took over.',
      labelled('by', unanswered),
    ),
    ...metric(
      'assay_shadow_questions_total',
      'counter',
      'Questions to challengers in shadow, by what became of them.',
      labelled('result', { ...shadows }),
    ),
    ...metric(
      'assay_rules_paused',
      'gauge',
      'Rules that are paused now, by policy.',
      labelled('policy', rulesPaused),
    ),
    ...metric('assay_events_total', 'counter', 'Events taken in without a decision.', [
      ['', events],
    ]),
    ...metric('assay_labels_total', 'counter', 'Labels taken in.', [['', labels]]),
    ...metric('assay_requests_in_flight', 'gauge', 'Requests waiting for the disk.', [
      ['', status.inFlight],
    ]),
    ...metric('assay_requests_shed_total', 'counter', 'Requests refused because too many waited.', [
      ['', status.shed],
    ]),
    ...metric('assay_storage_full', 'gauge', '1 while the disk takes no records.', [
      ['', status.storage === 'full' ? 1 : 0],
    ]),
    ...metric(
      'assay_journal_sequence',
      'gauge',
      'Last sequence on disk, by namespace.',
      status.namespaces.map(({ namespace, lastSequence }) => [
        tag('namespace', namespace),
        lastSequence,
      ]),
    ),
    ...metric(
      'assay_state_events',
      'gauge',
      'Events of further sources in live state since its base, by namespace and source.',
      status.namespaces.flatMap(({ namespace, otherEvents = {} }) =>
        Object.entries(otherEvents).map(([source, n]): Sample => [tags({ namespace, source }), n]),
      ),
    ),
    ...onlineMetrics(service.onlineCopies()),
    ...streamMetrics(streams),
    ...diskMetrics(disk),
    ...inference,
    ...metric(
      'assay_event_loop_lag_p99_seconds',
      'gauge',
      'Delay of the event loop, 99th percentile.',
      [['', loop.percentile(99) / 1e9]],
    ),
    ...metric('assay_recovery_seconds', 'gauge', 'How long the last start took to recover.', [
      ['', status.recoveryMs / 1000],
    ]),
    ...metric('process_resident_memory_bytes', 'gauge', 'Resident memory.', [
      ['', process.memoryUsage.rss()],
    ]),
    ...metric('process_cpu_seconds_total', 'counter', 'CPU time used.', [['', cpuSeconds()]]),
    ...histogram('assay_decision_duration_seconds', 'From the first look to the durable answer.', [
      { labels: {}, ...latency },
    ]),
  ]
  return `${lines.join('\n')}\n`
}

const onlineFigures = [
  ['waiting', 'assay_online_waiting', 'gauge', 'Entities whose newest values wait to be written.'],
  ['written', 'assay_online_written_total', 'counter', 'Entities written to the online store.'],
  [
    'dropped',
    'assay_online_dropped_total',
    'counter',
    'Entities forgotten until their next event.',
  ],
  ['failures', 'assay_online_failures_total', 'counter', 'Writes that the online store refused.'],
] as const

/** Nothing where no online store is kept. */
function onlineMetrics(copies: ReturnType<DecisionService['onlineCopies']>): string[] {
  const all = Object.entries(copies)
  if (all.length === 0) return []
  return onlineFigures.flatMap(([figure, name, type, help]) =>
    metric(
      name,
      type,
      help,
      all.map(([namespace, copy]) => [tag('namespace', namespace), copy[figure]]),
    ),
  )
}

/** Nothing where no stream is consumed. */
function streamMetrics(streams: readonly StreamFigures[]): string[] {
  if (streams.length === 0) return []
  return [
    ...metric(
      'assay_stream_messages_total',
      'counter',
      'Messages of streams since the start, by what became of them.',
      streams.flatMap(({ topic, policy, counts }) =>
        Object.entries(counts).map(([result, n]): Sample => [tags({ topic, policy, result }), n]),
      ),
    ),
    ...metric(
      'assay_stream_lag',
      'gauge',
      'What is still to be read of a partition, in the unit of its log: messages, or bytes.',
      streams.flatMap(({ topic, policy, lags }) =>
        lags.map(({ partition, lag }): Sample => [
          tags({ topic, policy, partition: String(partition) }),
          lag,
        ]),
      ),
    ),
  ]
}

/** Nothing where the disk is not watched, and no figure before it is known. */
function diskMetrics(disk: DiskReport | undefined): string[] {
  if (disk === undefined) return []
  const { parts, freeBytes, bytesPerDecision, daysUntilFull } = disk
  return [
    ...metric('assay_disk_free_bytes', 'gauge', 'Free bytes on the disk of the home.', [
      ['', freeBytes],
    ]),
    ...metric(
      'assay_disk_bytes',
      'gauge',
      'Bytes of what decisions fill, by part.',
      parts.map(({ part, bytes }): Sample => [tag('part', part), bytes]),
    ),
    ...metric(
      'assay_disk_bytes_per_decision',
      'gauge',
      'Growth for each decision, over a day at most.',
      bytesPerDecision === null ? [] : [['', bytesPerDecision]],
    ),
    ...metric(
      'assay_disk_days_until_full',
      'gauge',
      'Days until the disk is full at the growth of the last day at most.',
      daysUntilFull === null ? [] : [['', daysUntilFull]],
    ),
  ]
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
