// A deployment: everything that one version of a policy needs to decide, in one immutable document.
import * as path from 'node:path'
import type { CompiledLabels, CompiledSource } from '../data/index.ts'
import type { CompiledFeatureSet } from '../features/index.ts'
import type { ImportedModel, TrainedModel } from '../learning/index.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import { fileErrorCode, nodeFiles, readWholeFile, writeFileAtomic } from '../lib/files.ts'
import type { FileSystem } from '../lib/files.ts'
import { contentHash, sha256Hex } from '../lib/hash.ts'
import { decisionErrors } from './errors.ts'
import type { Thresholds } from './judge.ts'
import type { CompiledPolicy } from './policy.ts'

/** The document that keep publishes and decide loads by hash; it holds data only, never code. */
export interface DeployedPolicy {
  readonly format: 1
  readonly policy: CompiledPolicy
  readonly source: CompiledSource
  /** Further sources that the feature sets read; absent where they read none. */
  readonly others?: readonly CompiledSource[]
  readonly labels: readonly CompiledLabels[]
  readonly featureSets: readonly CompiledFeatureSet[]
  readonly model: DeployedModel
  /** Scores from which a payment is reviewed or declined; found by the policy's declared choice. */
  readonly thresholds: Thresholds
  /** Others that take part in the traffic, in order; absent where there are none. */
  readonly challengers?: readonly Challenger[]
  /** The column whose value always meets the same challenger; there where challengers are. */
  readonly sticky?: string
  /** What answers where the model does not: the version that was live before. */
  readonly lastGood?: ScoredBy
}

/** A model and the scores from which it reviews and declines. */
export interface ScoredBy {
  readonly model: DeployedModel
  readonly thresholds: Thresholds
}

/** A version that is measured against the champion on live traffic. */
export interface Challenger extends ScoredBy {
  readonly name: string
  /**
   * `live`: it decides on its share (0 to 1) of the values of the sticky column, of the events for
   * which `when` holds (CEL over event and features). `shadow`: it is asked beside, after the answer,
   * for its share, and decides nothing.
   */
  readonly traffic:
    | { readonly mode: 'live'; readonly share: number; readonly when?: string }
    | { readonly mode: 'shadow'; readonly share: number }
}

export interface DeployedModel {
  /** The registered name and its version number there. */
  readonly name: string
  readonly number: number
  /** The hash of the model's own JSON. */
  readonly version: string
  readonly body: TrainedModel | ImportedModel | OutsideModel
}

/** A model that another thread or server computes, such as an ONNX graph. */
export interface OutsideModel {
  readonly kind: 'outside'
  /** The features in the order of its input. */
  readonly features: readonly string[]
  /** By what it is found there: the hash of a served model's document. */
  readonly served: string
}

/** Where published deployment documents are found by hash. */
export interface DeploymentFiles {
  /** Undefined where there is none; throws `deployment_invalid` where content and name disagree. */
  read(hash: string): Promise<DeployedPolicy | undefined>
}

/** The name of a deployment: the hash of its canonical JSON. */
export function deploymentHash(document: DeployedPolicy): string {
  return contentHash(document)
}

/** Writes a document into a directory under its hash, for `directoryDeployments` to find. */
export async function publishDeployment(
  directory: string,
  document: DeployedPolicy,
  files: FileSystem = nodeFiles,
): Promise<string> {
  const text = canonicalJson(document)
  const hash = sha256Hex(text)
  await files.makeDirectory(directory)
  await writeFileAtomic(path.join(directory, `${hash}.json`), text, files)
  return hash
}

/** Reads documents that `publishDeployment` wrote, and checks each against its name. */
export function directoryDeployments(
  directory: string,
  files: FileSystem = nodeFiles,
): DeploymentFiles {
  return {
    async read(hash) {
      if (!/^[0-9a-f]{64}$/.test(hash)) return undefined
      let bytes: Uint8Array
      try {
        bytes = await readWholeFile(path.join(directory, `${hash}.json`), files)
      } catch (error) {
        if (fileErrorCode(error) === 'ENOENT') return undefined
        throw error
      }
      if (sha256Hex(bytes) !== hash) {
        throw decisionErrors.deployment_invalid(
          `The document ${hash} does not hold what its name says; it was changed or damaged.`,
        )
      }
      return JSON.parse(Buffer.from(bytes).toString('utf8')) as DeployedPolicy
    },
  }
}

/** The document of a hash. Error: `deployment_not_found`. */
export async function readDeployment(
  deployments: DeploymentFiles,
  hash: string,
): Promise<DeployedPolicy> {
  const document = await deployments.read(hash)
  if (document === undefined) {
    throw decisionErrors.deployment_not_found(`No deployment was published under ${hash}.`)
  }
  return document
}
