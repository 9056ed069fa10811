/**
 * The door of prediction: the Open Inference Protocol v2 over REST (with the binary tensor extension)
 * and gRPC, and what MLflow, SageMaker and Vertex AI ask of a server of one model.
 *
 * What always holds here: a request is checked against the model's signature before the model sees
 * it, and everything that is wrong is told at once; statuses are KServe's and a refusal is
 * `{"error": …}`; bodies, nesting, shapes and requests in flight are bounded; the binary form, the JSON
 * form and gRPC give the same answers.
 */
export { openGrpc, startInferenceServer, type RunningInferenceServer } from './start.ts'
export { createInferenceMeter, type InferenceMeter } from './meter.ts'
export { readGolden } from './golden.ts'
export { createInferenceDoor, type InferenceDoor, type InferenceDoorOptions } from './rest.ts'
