/** What can be wrong with a learning task, and what to do about it. */
import { defineErrors } from '../lib/errors.ts'

export const fail = defineErrors({
  learner_invalid: {
    status: 422,
    title: 'The learner is not declared properly',
    action: 'Correct the named parameter in the model declaration.',
  },
  training_data_invalid: {
    status: 422,
    title: 'The training data cannot be learnt from',
    action: 'Check the features, labels and weights that the message names.',
  },
  training_one_class: {
    status: 422,
    title: 'The training rows hold only one class',
    action: 'Widen the training period, or check that the labels were loaded.',
  },
  model_invalid: {
    status: 422,
    title: 'The model file is not one that Assay wrote',
    action: 'Register the model again from its run.',
  },
  features_mismatch: {
    status: 422,
    title: 'The features are not those that the model was trained on',
    action: 'Pass exactly the features that the model lists, in their order.',
  },
  output_ambiguous: {
    status: 422,
    title: 'The model has several outputs',
    action: 'Ask for all outputs, or name one that the model has.',
  },
  explanation_unavailable: {
    status: 422,
    title: 'The model cannot be explained exactly',
    action: 'Use LIME or permutation importance, which work on every model.',
  },
  explanation_invalid: {
    status: 422,
    title: 'The explanation is not asked for properly',
    action: 'Correct what the message names.',
  },
  reasons_invalid: {
    status: 422,
    title: 'The reasons are not declared properly',
    action: 'Give every feature of the model a reason, and every reason its words.',
  },
  evaluation_invalid: {
    status: 422,
    title: 'The results cannot be evaluated',
    action: 'Check that scores and labels belong to the same rows and hold both classes.',
  },
  threshold_rule_unmet: {
    status: 422,
    title: 'No threshold satisfies the declared rule',
    action: 'Relax the rule, or evaluate on a period with more labelled cases.',
  },
  split_invalid: {
    status: 422,
    title: 'The split is not declared properly, or does not fit the rows',
    action: 'Correct the part of the split that the message names.',
  },
  preparation_invalid: {
    status: 422,
    title: 'The data cannot be prepared as declared',
    action: 'Correct the named column or step of the preparation, or leave the column out.',
  },
  columns_mismatch: {
    status: 422,
    title: 'The columns are not those that the preparation was fitted on',
    action: 'Pass a table with exactly the columns that the message lists, each of its kind.',
  },
  tuning_invalid: {
    status: 422,
    title: 'The tuning is not declared properly',
    action: 'Correct the named parameter of the space, the method or the limits.',
  },
  tuning_failed: {
    status: 422,
    title: 'The tuning found no setting that works',
    action: 'Read why the trials failed; correct the space, the folds or the learner.',
  },
  tuning_state_mismatch: {
    status: 422,
    title: 'The saved state is not one of this tuning',
    action: 'Resume with the declaration and the seed that the state was saved under.',
  },
})
