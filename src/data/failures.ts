/**
 * What can be wrong with a row. A failure names the column, the rule and the value, so that a person
 * can find and mend it. The rules are data: one table, one sentence each, shown on the page and in
 * the docs.
 */

export const rules = {
  missing: 'A value is required here and the field is empty.',
  type: 'The value is not of the declared type.',
  not_finite: 'NaN and infinity are not values; leave the field empty if the column may be empty.',
  unsafe_integer: 'The whole number is beyond ±(2^53 − 1) and would lose digits.',
  scale: 'The amount has more decimal places than its currency.',
  range: 'The value lies outside the declared range.',
  date: 'The date or time does not exist in the calendar or in the source’s time zone.',
  category: 'The value is not one of the declared categories.',
  length: 'The text is longer than declared.',
  encoding: 'The text is not valid UTF-8.',
  unknown_field: 'The contract does not know this field.',
  duplicate_field: 'The same column was given twice, under its own name and its name in files.',
  duplicate_id: 'An earlier row has the same id.',
  event_conflict: 'The event was accepted live before, with other values.',
  field_count: 'The row has more or fewer fields than the header.',
  quote: 'A quoted field is not closed, or text follows its closing quote.',
  line_too_long: 'The line is longer than 1 MiB.',
  json: 'The line is not one JSON object.',
  no_time: 'Neither the label’s event time nor its arrival time is known.',
} as const satisfies Record<string, string>

export type Rule = keyof typeof rules

export interface Failure {
  /** Declared column name, or the field's name for unknown fields; null where the whole row is meant. */
  readonly column: string | null
  readonly rule: Rule
  /** The offending value as text, cut at 200 characters; null where there is none. */
  readonly value: string | null
  /** What happened and what to do, in a sentence or two. */
  readonly message: string
}

const valueLengthMax = 200

/** Builds a failure; the value is shown as text and cut so that a failure stays small. */
export function failure(
  column: string | null,
  rule: Rule,
  value: string | null,
  message: string,
): Failure {
  return { column, rule, value: value === null ? null : cut(value), message }
}

function cut(text: string): string {
  return text.length <= valueLengthMax ? text : `${text.slice(0, valueLengthMax - 1)}…`
}
