import { defineErrors } from '../../lib/errors.ts'

export const fail = defineErrors({
  model_file_unreadable: {
    status: 422,
    title: 'The model file cannot be read',
    action:
      'Save the model again as XGBoost JSON or UBJSON, LightGBM text or ONNX, and check that the file is whole.',
  },
  model_file_unsupported: {
    status: 422,
    title: 'The model uses something that Assay does not compute itself',
    action: 'Export the model without the named feature, or as ONNX, which ONNX Runtime computes.',
  },
  model_not_writable: {
    status: 422,
    title: 'The format cannot hold this model',
    action: 'Choose another format, or keep the model in the JSON of Assay.',
  },
})
