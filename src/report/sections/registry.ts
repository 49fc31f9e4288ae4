import type { ReportSection } from '../content.js';
import { addressMapSection } from './address-map.js';
import { failuresSection } from './failures.js';
import { fragmentationSection } from './fragmentation.js';
import { goldenSection } from './golden.js';
import { memlockSection } from './memlock.js';
import { metadataSection } from './metadata.js';
import { paretoSection } from './pareto.js';
import { provenanceSection } from './provenance.js';
import { spectrumSection } from './spectrum.js';
import { stacksSection } from './stacks.js';
import { summarySection } from './summary.js';
import { timingSection } from './timing.js';
import { workSection } from './work.js';
import { workloadSection } from './workload.js';

/** Every section of a report, in the order of the page. */
export const REPORT_SECTIONS: readonly ReportSection[] = [
  summarySection,
  workloadSection,
  failuresSection,
  fragmentationSection,
  metadataSection,
  paretoSection,
  workSection,
  timingSection,
  spectrumSection,
  addressMapSection,
  stacksSection,
  memlockSection,
  goldenSection,
  provenanceSection,
];
