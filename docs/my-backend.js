// First fit over a list: the lowest place in the first gap that is long enough. `kvabench new backend NAME` starts from
// this file. No import is needed; what is built on comes as the second argument of `create`.

/** Change: the unit that every length is rounded up to, by class of request. */
const KMEM_QUANTUM = 16;
const PAGE = 4096;

export default {
  name: 'my-backend',
  summary: 'first fit over a list of live ranges',
  // Change: a JSON Schema for each parameter, with default and description. Lengths have the format 'bytes'.
  parameters: {
    size: { type: 'number', format: 'bytes', default: 2 ** 40, minimum: 2 ** 30, description: 'bytes of address space' },
  },
  create({ size }, { NO_ADDRESS, RequestClass, lowestFit }) {
    const base = 2 ** 40;
    /** Change: what is remembered of live ranges, or of free ones; here { start, end } in address order. */
    const live = [];
    let gapsSeen = 0;

    const quantumOf = (cls) => (cls === RequestClass.kmem ? KMEM_QUANTUM : PAGE);
    const footprint = (cls, bytes) => Math.ceil(bytes / quantumOf(cls)) * quantumOf(cls);

    return {
      serves: [RequestClass.kmem, RequestClass.kstack, RequestClass.va, RequestClass.guest],
      range: { base, size },
      footprint,
      // Change: the placement rule. Answers the first address, or NO_ADDRESS when there is no room.
      alloc(cls, bytes, constraint) {
        const length = footprint(cls, bytes);
        let low = base;
        for (let index = 0; index <= live.length; index++) {
          const next = live[index] ?? { start: base + size, end: base + size };
          gapsSeen++;
          const start = lowestFit(low, next.start, length, quantumOf(cls), constraint);
          if (start !== NO_ADDRESS) {
            live.splice(index, 0, { start, end: start + length });
            return start;
          }
          low = next.end;
        }
        return NO_ADDRESS;
      },
      // A free says again what its allocation was given: class, address, size, constraint.
      free(_cls, address) {
        const index = live.findIndex(({ start }) => start === address);
        live.splice(index, 1);
      },
      // Work in steps of the search: the columns `searches` and latency.csv.
      workDone: () => gapsSeen,
    };
  },
};
