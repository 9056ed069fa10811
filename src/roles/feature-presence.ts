// How values of features came about in the project's history, for the page.
import { generalErrors } from '../lib/errors.ts'
import {
  featurePresence,
  type FeaturePresence,
  type FeaturePresenceQuestion,
} from '../pipelines/index.ts'
import type { DeclaredProject } from '../projects/index.ts'
import { rolesErrors } from './errors.ts'
import { knownFacts, turn, type FeatureHistoryPorts } from './feature-history.ts'

/** Enough for the shares of many days, and a few seconds of work. */
const EVENTS_MAX = 100_000

/** One question at a time, as each holds the project's events in memory; beyond that, `overloaded`. */
export function createFeaturePresence(
  ports: Omit<FeatureHistoryPorts, 'incoming' | 'limits'>,
): (question: FeaturePresenceQuestion, project: DeclaredProject) => Promise<FeaturePresence> {
  let running = false
  return async ({ set: name, feature, untilUs }, project) => {
    const set = project.featureSets.find((each) => each.name === name)
    if (set === undefined || !set.features.some((each) => each.name === feature)) {
      throw rolesErrors.feature_set_unknown(`The project declares no feature ${name}/${feature}.`)
    }
    if (running) {
      throw generalErrors.overloaded('The values of another feature are being counted.', {
        extra: { retryAfter: 5 },
      })
    }
    running = true
    try {
      const facts = await knownFacts(project, set, ports)
      return await featurePresence({ set, feature, facts, untilUs, eventsMax: EVENTS_MAX, turn })
    } finally {
      running = false
    }
  }
}
