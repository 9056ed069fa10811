// Properties draw from this seed where one is given, so that a change is judged the same each time.
import * as fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env.ASSAY_PROPERTY_SEED) })
