import { defineErrors } from '../../lib/errors.ts'

/** Statuses as KServe gives them: 400 bad input, 404 not found, 501 unsupported, 503 not ready. */
export const inferenceErrors = defineErrors({
  inference_request_invalid: {
    status: 400,
    title: 'The inference request is not one of the protocol',
    action:
      'Send the fields that the Open Inference Protocol v2, or MLflow for /invocations, asks for.',
  },
  inference_unsupported: {
    status: 501,
    title: 'The protocol has this, and it is not offered here',
    action: 'Leave the parameter or extension out.',
  },
  inference_route_unknown: {
    status: 404,
    title: 'There is no such address at the door of prediction',
    action: 'See /v2, /v2/models/NAME and /v2/models/NAME/infer, or /invocations and /ping.',
  },
  inference_method_wrong: {
    status: 405,
    title: 'The address takes another method',
    action: 'Use GET for health and metadata, and POST for inference.',
  },
  inference_body_too_large: {
    status: 413,
    title: 'The inference request is too large',
    action: 'Send fewer rows at a time: at most 16 MiB in one request.',
  },
})
