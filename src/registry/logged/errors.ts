import { defineErrors } from '../../lib/errors.ts'

export const loggedErrors = defineErrors({
  mlmodel_invalid: {
    status: 422,
    title: 'The description of a logged model cannot be read',
    action: 'Log the model again with a log_model function of MLflow, which writes MLmodel.',
  },
  logged_model_not_servable: {
    status: 422,
    title: 'The logged model is not data that Assay can compute',
    action: 'Log it again as the message says; the page of its run shows the lines of Python.',
  },
  logged_rows_too_many: {
    status: 413,
    title: 'Too many rows came at once',
    action: 'Send at most 100,000 rows a call.',
  },
})
