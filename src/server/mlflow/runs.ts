// Runs: /mlflow/runs/create … search. What is logged to them stands in logging.ts.
import { isAssayError } from '../../lib/errors.ts'
import { trackingErrors, trackingLimits, type Run, type Tags } from '../../tracking/index.ts'
import {
  encodeRun,
  encodeRunInfo,
  experimentLocation,
  runNameTag,
  runStatusNames,
  statusOf,
  toUs,
  userTag,
} from './encode.ts'
import { defineEndpoint, list, oneOf, some, text, whole, type Endpoint } from './endpoint.ts'
import { deletedOf, viewTypes } from './experiments.ts'
import { tagList, theRun, toRecord } from './fields.ts'
import { timeMsMax } from './limits.ts'
import type { MlflowRooms } from './rooms.ts'
import { readRunSearch } from './search.ts'
import { atMost, experimentId } from './text-rules.ts'

const limits = trackingLimits
const runName = text({ rule: atMost(limits.runName, 'run_name') })
const instant = whole({ min: 0, max: timeMsMax })

export const runEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/create',
    action: 'track',
    fields: {
      experiment_id: text({ required: true, rule: experimentId }),
      user_id: text({ rule: atMost(256, 'user_id') }),
      run_name: runName,
      start_time: instant,
      tags: tagList,
    },
    handle: async ({ request, rooms, by }) => {
      const { [runNameTag]: taggedName, ...tags } = toRecord(request.tags)
      const run = await rooms.tracking.startRun(
        {
          experimentId: request.experiment_id,
          name: oneName(request.run_name, taggedName),
          ...(request.start_time !== undefined && { startedAtUs: toUs(request.start_time) }),
          tags: { ...(request.user_id && { [userTag]: request.user_id }), ...tags },
        },
        by,
      )
      return { run: encodeRun(run, await locationOf(rooms, run)) }
    },
  }),
  defineEndpoint({
    method: 'GET',
    path: '/mlflow/runs/get',
    action: 'read',
    fields: { run_id: theRun },
    handle: async ({ request, rooms }) => {
      const run = await rooms.tracking.run(request.run_id)
      return { run: encodeRun(run, await locationOf(rooms, run)) }
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/update',
    action: 'track',
    fields: {
      run_id: theRun,
      status: oneOf(runStatusNames),
      end_time: instant,
      run_name: runName,
    },
    handle: async ({ request, rooms, by }) => {
      const { status, end_time: endMs, run_name: name } = request
      const head = await rooms.tracking.updateRun(
        request.run_id,
        {
          ...(status && { status: statusOf(status) }),
          ...(endMs !== undefined && { endedAtUs: toUs(endMs) }),
          ...(name && { name }),
        },
        by,
      )
      const run = { ...head, tags: await userTagOf(rooms, head.id) }
      return { run_info: encodeRunInfo(run, await locationOf(rooms, run)) }
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/delete',
    action: 'track',
    fields: { run_id: theRun },
    handle: async ({ request, rooms, by }) => {
      try {
        await rooms.tracking.deleteRun(request.run_id, by)
      } catch (error) {
        // Clients that repeat a request whose answer was lost have what they want.
        if (!isAssayError(error, 'run_deleted')) throw error
      }
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/restore',
    action: 'track',
    fields: { run_id: theRun },
    handle: async ({ request, rooms, by }) => {
      await rooms.tracking.restoreRun(request.run_id, by)
      return {}
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: '/mlflow/runs/search',
    action: 'read',
    fields: {
      experiment_ids: list(text(), { itemsMax: limits.experimentsPerSearch }),
      filter: text(),
      run_view_type: oneOf(viewTypes, { fallback: 'ACTIVE_ONLY' }),
      max_results: whole({ min: 1, max: limits.runsPerPage, fallback: 1000 }),
      order_by: list(text()),
      page_token: text(),
    },
    handle: async ({ request, rooms }) => {
      const { filter, order } = readRunSearch({
        filter: request.filter,
        orderBy: request.order_by,
      })
      // To the room no experiment means all of them; to MLflow it means none.
      if (request.experiment_ids.length === 0) return {}
      const { runs, next } = await rooms.tracking.searchRuns({
        experimentIds: request.experiment_ids,
        filter,
        order,
        deleted: deletedOf[request.run_view_type],
        limit: request.max_results,
        after: request.page_token || undefined,
        parts: { files: 'none' },
      })
      const locations = await locationsOf(rooms, runs)
      return {
        runs: some(runs.map((run) => encodeRun(run, locations.get(run.experimentId)!))),
        next_page_token: next,
      }
    },
  }),
]

/** A name may come as a field and as a tag; two different ones are refused. */
function oneName(field: string | undefined, tag: string | undefined): string | undefined {
  if (field && tag && field !== tag) {
    throw trackingErrors.tracking_value_invalid(
      `Both 'run_name' argument and '${runNameTag}' tag are specified, but with ` +
        `different values (run_name='${field}', ${runNameTag}='${tag}').`,
    )
  }
  return field || tag || undefined
}

/** Whom a run is for, without reading all that was logged to it. */
async function userTagOf({ tracking }: MlflowRooms, id: string): Promise<Tags> {
  const { runs } = await tracking.searchRuns({
    experimentIds: [],
    filter: { field: { of: 'attribute', name: 'id' }, op: '=', value: id },
    deleted: 'with',
    order: [],
    limit: 1,
    parts: { metrics: 'none', params: 'none', tags: [userTag] },
  })
  return runs[0]?.tags ?? {}
}

/** Where the files of the run's experiment lie. */
export async function locationOf(
  { tracking }: Pick<MlflowRooms, 'tracking'>,
  { experimentId: id }: { readonly experimentId: string },
): Promise<string> {
  return experimentLocation(await tracking.experiment(id))
}

/** The same for many, each experiment asked for once. */
export async function locationsOf(
  rooms: Pick<MlflowRooms, 'tracking'>,
  items: readonly Pick<Run, 'experimentId'>[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(items.map((item) => item.experimentId))]
  const locations = await Promise.all(ids.map((id) => locationOf(rooms, { experimentId: id })))
  return new Map(ids.map((id, place) => [id, locations[place]]))
}
