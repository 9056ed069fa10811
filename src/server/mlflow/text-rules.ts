// Rules of texts as MLflow states them (mlflow/utils/validation.py), with its words.
import { posix } from 'node:path'
import type { TextRule } from './endpoint.ts'
import { invalidSentence } from './errors.ts'

/** At most this many characters; `called` stands in the message instead of the path. */
export function atMost(limit: number, called?: string): TextRule {
  return (value, path) =>
    // Counted as Python does, in code points; a text of few units has no more of those.
    value.length > limit && codePoints(value) > limit
      ? `'${called ?? path}' exceeds the maximum length of ${limit} characters`
      : undefined
}

export const runId: TextRule = (value, path) =>
  /^[a-zA-Z0-9][\w-]{0,255}$/.test(value) ? undefined : invalidSentence(path, value)

export const experimentId: TextRule = (value) =>
  /^[a-zA-Z0-9][\w-]{0,63}$/.test(value)
    ? undefined
    : `Invalid experiment ID: '${value.slice(0, 300)}'`

/** Keys of metrics, params and tags: few characters, and a path that stays as it is. */
export const entityKey: TextRule = (value, path) => {
  if (!KEY.test(value)) {
    const allowed =
      'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.),' +
      ' spaces ( ), colon(:) and slashes (/).'
    return invalidSentence(path, value, allowed)
  }
  const normal = normalPath(value)
  if (normal !== value || normal === '.' || normal.startsWith('..') || normal.startsWith('/')) {
    const resolves =
      'Names may be treated as files in certain cases, and must not resolve to other names' +
      ` when treated as such. This name would resolve to '${normal.slice(0, 300)}'`
    return invalidSentence(path, value, resolves)
  }
  return undefined
}

/** Where an experiment's files shall lie: an address of its own, not one within a run. */
export const artifactLocation: TextRule = (value) => {
  if (value.startsWith('runs:')) {
    return `Artifact location cannot be a runs:/ URI. Given: '${value.slice(0, 300)}'`
  }
  return /[#;]/.test(value)
    ? "'artifact_location' URL can't include fragments or params."
    : undefined
}

/** Names of logged models become parts of addresses. */
export const loggedModelName: TextRule = (value) =>
  /[/:.%"']/.test(value)
    ? `Invalid model name (${value.slice(0, 300)}) provided. Model name must be a non-empty string and cannot ` +
      'contain the following characters: (/, :, ., %, ", \')'
    : undefined

/** All of them, in order; the first that says something is heard. */
export function every(...rules: readonly TextRule[]): TextRule {
  return (value, path) => {
    for (const rule of rules) {
      const wrong = rule(value, path)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }
}

// Python's \w takes the letters and digits of all scripts.
const KEY = /^[/\p{L}\p{N}_.\- :]*$/u

/** As Python's posixpath.normpath: without a closing slash, and "." for nothing. */
function normalPath(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

function codePoints(value: string): number {
  let count = 0
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i)
    if (unit < 0xdc00 || unit > 0xdfff) count++
  }
  return count
}
