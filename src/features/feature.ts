import type { Words } from './compiled.ts'
import type { Draft } from './values.ts'
import type { Window } from './window.ts'

/** What to say instead of the sentence where the value is missing or zero. */
export interface InOtherCases {
  readonly missing?: string
  readonly zero?: string
}

/** A named value of a feature set, with what people read about it. */
export class Feature {
  readonly name: string
  readonly node: Draft
  readonly description: string | null
  readonly words: Words | null

  constructor(
    name: string,
    node: Draft,
    description: string | null = null,
    words: Words | null = null,
  ) {
    this.name = name
    this.node = node
    this.description = description
    this.words = words
  }

  /** A sentence for the catalogue. Without one, the declaration itself is put into words. */
  describe(description: string): Feature {
    return new Feature(this.name, this.node, description, this.words)
  }

  /**
   * The sentence that gives this feature as a reason. Placeholders take the value: `{value}`,
   * `{count}`, `{percent}`, `{money}`, `{times}`, `{duration}`; `{count payment}` adds the noun.
   */
  inWords(text: string, inOtherCases: InOtherCases = {}): Feature {
    const words = {
      text,
      missing: inOtherCases.missing ?? null,
      zero: inOtherCases.zero ?? null,
    }
    return new Feature(this.name, this.node, this.description, words)
  }
}

/** One feature a window, to be spread into a set: `...family`. */
export class FeatureFamily<Span = Window> implements Iterable<Feature> {
  private readonly members: readonly { readonly window: Span; readonly feature: Feature }[]

  constructor(members: readonly { readonly window: Span; readonly feature: Feature }[]) {
    this.members = members
  }

  /** As `Feature.describe`, with the window at hand. */
  describe(description: (window: Span) => string): FeatureFamily<Span> {
    return this.map((feature, window) => feature.describe(description(window)))
  }

  /** As `Feature.inWords`, with the window at hand. */
  inWords(
    text: (window: Span) => string,
    inOtherCases?: (window: Span) => InOtherCases,
  ): FeatureFamily<Span> {
    return this.map((feature, window) => feature.inWords(text(window), inOtherCases?.(window)))
  }

  *[Symbol.iterator](): Iterator<Feature> {
    for (const { feature } of this.members) yield feature
  }

  private map(change: (feature: Feature, window: Span) => Feature): FeatureFamily<Span> {
    return new FeatureFamily(
      this.members.map(({ window, feature }) => ({ window, feature: change(feature, window) })),
    )
  }
}
