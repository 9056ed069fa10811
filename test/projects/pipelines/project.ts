// A project of pipelines alone: a table is cleaned, described and learnt from. Tests run it with real
// processes and files.
import { pipelineProject } from 'assay'
import { daily, texts, training } from './pipelines.ts'

export default pipelineProject('words', {
  title: 'Words',
  owner: 'Language team',
  pipelines: [texts, training, daily],
})
