/**
 * A model card in the shape of the Model Card Toolkit's schema v0.0.2 (tensorflow/model-card-toolkit,
 * `schema/v0.0.2/model_card.schema.json`), its names kept as they are so that other tools read it.
 * Graphics are left to the page, which draws them from the tracked curves.
 */
export interface ModelCard {
  readonly schema_version: '0.0.2'
  readonly model_details: {
    readonly name: string
    readonly overview: string
    readonly documentation: string
    readonly owners: readonly { readonly name: string; readonly contact?: string | undefined }[]
    readonly version: {
      readonly name: string
      readonly date: string
      readonly diff?: string | undefined
    }
    readonly licenses: readonly { readonly identifier: string }[]
    readonly references: readonly { readonly reference: string }[]
    readonly citations: readonly { readonly style?: string; readonly citation: string }[]
    readonly path: string
  }
  readonly model_parameters: {
    readonly model_architecture: string
    readonly data: readonly {
      readonly name: string
      readonly description: string
      readonly link?: string | undefined
      readonly sensitive?: { readonly sensitive_data: readonly string[] } | undefined
    }[]
    readonly input_format: string
    readonly input_format_map: readonly { readonly key: string; readonly value: string }[]
    readonly output_format: string
    readonly output_format_map: readonly { readonly key: string; readonly value: string }[]
  }
  readonly quantitative_analysis: {
    readonly performance_metrics: readonly {
      readonly type: string
      readonly value: string
      readonly slice?: string | undefined
      readonly confidence_interval?:
        | { readonly lower_bound: string; readonly upper_bound: string }
        | undefined
    }[]
  }
  readonly considerations: {
    readonly users: readonly { readonly description: string }[]
    readonly use_cases: readonly { readonly description: string }[]
    readonly limitations: readonly { readonly description: string }[]
    readonly tradeoffs: readonly { readonly description: string }[]
    readonly ethical_considerations: readonly {
      readonly name: string
      readonly mitigation_strategy: string
    }[]
  }
}
