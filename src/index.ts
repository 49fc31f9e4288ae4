/**
 * kvabench as a library: the contracts to build on, the registries, and the ways to run a cell, read a trace and
 * verify a model. The command line uses nothing else.
 */
export type {
  ArenaFigures,
  ArenaView,
  CacheFigures,
  ExtentFigures,
  ExtentView,
  StackFigures,
  StackView,
  TagVisitor,
} from './arena/view.js';
export { TagType } from './arena/view.js';
export type {
  Backend,
  BackendDefinition,
  BackendEnvironment,
  BackendFile,
  Parameters,
} from './backend/contract.js';
export { BACKENDS } from './backend/registry.js';
export type { UserBackend, UserBackendDefinition, UserEnvironment } from './backend/user-backend.js';
export { type Address, AddressSpace, NO_ADDRESS } from './core/address.js';
export { InputError, InvariantError, MisuseError } from './core/errors.js';
export {
  type Constraint,
  type ConstraintTable,
  constraintTable,
  RequestClass,
  RequestOp,
  type RequestPort,
  UNCONSTRAINED,
} from './core/request.js';
export { type EventHandler, Priority, Simulation } from './core/simulation.js';
export type { Bytes, Nanoseconds } from './core/units.js';
export { loadBackendFile, withBackendFiles } from './harness/backend-files.js';
export { type CellResult, runCell } from './harness/cell.js';
export { GoldenCase } from './harness/golden/golden-case.js';
export { ORACLES } from './harness/golden/registry.js';
export { type Mismatch, verifyCase } from './harness/golden/verify.js';
export { mapFile } from './harness/map/map-file.js';
export { MapPort } from './harness/map/map-port.js';
export { type CellPlan, type Plan, planSuite } from './harness/plan.js';
export { REGISTRIES, type Registries } from './harness/registries.js';
export { CheckedPort } from './harness/request-port.js';
export { readSuite, type Suite } from './harness/suite.js';
export type { Column, Probe, RunView } from './probe/contract.js';
export { openTrace } from './trace/arrow-reader.js';
export type { Trace, TraceBlock, TraceMetadata } from './trace/trace.js';
export type { Workload } from './workload/contract.js';
export { WORKLOADS, type WorkloadDefinition } from './workload/registry.js';
