import { defineErrors } from '../../lib/errors.ts'

export const fail = defineErrors({
  onnx_runtime_missing: {
    status: 501,
    title: 'ONNX Runtime is not installed',
    action:
      'Run `npm install onnxruntime-node --ignore-scripts` beside Assay; trees and linear models need none.',
  },
  onnx_device_missing: {
    status: 501,
    title: 'ONNX Runtime cannot compute the whole model on this device',
    action:
      'Install what the message says is missing, or serve it without `--device`; a graph of trees runs on the processor alone.',
  },
  onnx_model_invalid: {
    status: 422,
    title: 'ONNX Runtime does not accept the model',
    action:
      'Check the file with `onnx.checker`, and export it for a version that the Runtime knows.',
  },
  onnx_run_failed: {
    status: 500,
    title: 'ONNX Runtime failed while it computed',
    action: 'Look at the message; check the model with the same rows in Python.',
  },
  onnx_outputs_mismatch: {
    status: 422,
    title: 'The model gives other outputs than declared',
    action: 'Declare the task and the class names that the model was trained with.',
  },
})
