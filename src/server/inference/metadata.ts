/** What the door tells of itself and of a model. */
import { type ModelHost, runtimeOf, type TensorSpec } from '../../serving/index.ts'

export const serverName = 'assay'

export function serverMetadata(version: string) {
  return { name: serverName, version, extensions: ['binary_tensor_data'] }
}

export interface ModelMetadata {
  readonly name: string
  readonly versions: readonly string[]
  readonly platform: string
  readonly inputs: readonly TensorMetadata[]
  readonly outputs: readonly TensorMetadata[]
}

type TensorMetadata = Pick<TensorSpec, 'name' | 'datatype' | 'shape'>

/** Errors: `served_model_unknown`, `served_model_unready`. */
export function modelMetadata(
  models: ModelHost,
  model: string,
  version: string | undefined,
): ModelMetadata {
  const found = models.find(model, version)
  const { platform, signature } = runtimeOf(found)
  const versions = models.list().filter(({ name }) => name === found.name)
  return {
    name: found.name,
    versions: versions.map((each) => each.version),
    platform,
    inputs: signature.inputs.map(tensorMetadata),
    outputs: signature.outputs.map(tensorMetadata),
  }
}

function tensorMetadata({ name, datatype, shape }: TensorSpec): TensorMetadata {
  return { name, datatype, shape }
}
