/**
 * In a page: address-space maps that can be scrubbed, zoomed and asked. The maps of a group share one clock. Each canvas
 * shows the picture that stands in the page for those without script, so what is seen is the same; the bytes of a tile and
 * the objects come from the data beside it, whose format src/harness/map/map-file.ts describes.
 */
interface MapData {
  readonly columns: number;
  readonly columnNs: number;
  readonly labelNs: number;
  readonly labelBins: number;
  readonly kinds: readonly string[];
  readonly windows: readonly { readonly start: string; readonly rows: number }[];
  /** First address and bytes of each row, ascending. */
  readonly starts: readonly string[];
  readonly heights: readonly number[];
  readonly unit: number;
  readonly tiles: string;
  readonly labels: string;
  readonly grid: string;
  readonly sites: readonly string[];
  /** Row of each line of the picture, from the top; -1 for an empty one. */
  readonly lines: readonly number[];
}

interface GroupData {
  readonly durationNs: number;
  readonly maps: readonly MapData[];
  readonly parts: readonly (number | null)[];
}

/** An object that a tile can name. */
interface Label {
  readonly allocation: number;
  readonly kind: string;
  readonly address: bigint;
  readonly size: number;
  readonly born: number;
  readonly died: number;
  readonly site: string;
}

const MOST_ZOOM = 256;

class VarintReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(base64: string) {
    this.bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  unsigned(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.bytes[this.at++] ?? 0;
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

/** What a map knows of its tiles. */
class Tiles {
  private readonly labels: Label[] = [];
  private readonly grid: number[] = [];
  /** Per row, its changes one after the other: column, kind, bytes. */
  private readonly changes: number[][];

  constructor(readonly data: MapData) {
    this.changes = data.starts.map(() => []);
    this.readChanges();
    this.readLabels();
  }

  /** Bytes of each kind in a row at the end of a column. */
  bytes(row: number, column: number): number[] {
    const bytes = this.data.kinds.map(() => 0);
    const changes = this.changes[row] ?? [];
    for (let at = 0; at < changes.length && changes[at]! <= column; at += 3) {
      bytes[changes[at + 1]!] = bytes[changes[at + 1]!]! + changes[at + 2]!;
    }
    return bytes;
  }

  label(row: number, timeNs: number): Label | undefined {
    const bin = Math.min(this.data.labelBins - 1, Math.floor(timeNs / this.data.labelNs));
    return this.labels[(this.grid[row * this.data.labelBins + bin] ?? 0) - 1];
  }

  private readChanges(): void {
    const reader = new VarintReader(this.data.tiles);
    let column = 0;
    while (!reader.isAtEnd) {
      column += reader.unsigned();
      let tile = 0;
      for (let left = reader.unsigned(); left > 0; left--) {
        tile += reader.unsigned();
        this.changes[tile >> 4]?.push(column, tile & 15, reader.signed() * this.data.unit);
      }
    }
  }

  private readLabels(): void {
    const reader = new VarintReader(this.data.labels);
    let allocation = 0;
    while (!reader.isAtEnd) {
      allocation += reader.unsigned();
      const kind = this.data.kinds[reader.unsigned()] ?? '';
      const window = this.data.windows[reader.unsigned()]!;
      const address = BigInt(window.start) + BigInt(reader.unsigned());
      const size = reader.unsigned();
      const born = reader.unsigned();
      const life = reader.unsigned();
      const site = this.data.sites[reader.unsigned() - 1] ?? '';
      this.labels.push({
        allocation,
        kind,
        address,
        size,
        born,
        died: life === 0 ? -1 : born + life - 1,
        site,
      });
    }
    const numbers = new VarintReader(this.data.grid);
    let number = 0;
    while (!numbers.isAtEnd) {
      number += numbers.signed();
      this.grid.push(number);
    }
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

const secondsText = (ns: number): string => {
  const unit = ns === 0 ? 3 : clamp(Math.floor(Math.log10(ns) / 3), 0, 3);
  return `${Number((ns / 1000 ** unit).toPrecision(5))} ${['ns', 'us', 'ms', 's'][unit]}`;
};

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

const bytesText = (bytes: number): string => {
  const unit = clamp(Math.floor(Math.log2(Math.max(1, bytes)) / 10), 0, UNITS.length - 1);
  return `${Number((bytes / 1024 ** unit).toPrecision(4))} ${UNITS[unit]}`;
};

/** A range of 0 to 1 that is shown. */
class Axis {
  from = 0;
  to = 1;

  get span(): number {
    return this.to - this.from;
  }

  zoom(factor: number, centre: number): void {
    const span = clamp(this.span / factor, 1 / MOST_ZOOM, 1);
    const share = (centre - this.from) / this.span;
    this.place(centre - share * span, span);
  }

  pan(distance: number): void {
    this.place(this.from + distance, this.span);
  }

  private place(from: number, span: number): void {
    this.from = clamp(from, 0, 1 - span);
    this.to = this.from + span;
  }
}

/** One canvas. */
class MapView {
  readonly canvas: HTMLCanvasElement;
  private readonly image: HTMLImageElement;
  private readonly readout: HTMLOutputElement;
  private readonly axis: Element;
  private readonly tiles: Tiles;
  private readonly vertical = new Axis();
  private line: number;

  constructor(
    private readonly group: MapGroup,
    figure: Element,
    data: MapData,
    private readonly partNs: number | null,
  ) {
    this.canvas = figure.querySelector('canvas')!;
    this.image = figure.querySelector('img')!;
    this.readout = figure.querySelector('.map-readout')!;
    this.axis = figure.querySelector('.map-axis')!;
    this.tiles = new Tiles(data);
    this.line = data.lines.length - 1;
    figure.querySelector('.map-mark')?.setAttribute('hidden', '');
    this.image.style.visibility = 'hidden';
    this.canvas.hidden = false;
    this.readout.hidden = false;
    this.listen();
  }

  draw(): void {
    const { canvas, image, group, vertical } = this;
    const { data } = this.tiles;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d')!;
    context.imageSmoothingEnabled = false;
    const { clock } = group;
    const scaleX = width / (clock.span * group.data.durationNs);
    const left = -clock.from * group.data.durationNs * scaleX;
    const scaleY = height / vertical.span;
    context.drawImage(image, left, -vertical.from * scaleY, data.columns * data.columnNs * scaleX, scaleY);
    const at = (ns: number): number => left + ns * scaleX;
    this.drawWindows(scaleY, ratio);
    if (this.partNs !== null) this.drawLine(at(this.partNs), this.colour('mark'), [6 * ratio, 4 * ratio]);
    this.drawLine(at(group.timeNs), this.colour('ink'), []);
    const middle = ((this.line + 0.5) / data.lines.length - vertical.from) * scaleY;
    context.strokeRect(at(group.timeNs) - 4 * ratio, middle - 4 * ratio, 8 * ratio, 8 * ratio);
    this.describe();
  }

  zoom(factor: number): void {
    this.vertical.zoom(factor, (this.line + 0.5) / this.tiles.data.lines.length);
  }

  private colour(name: string): string {
    return getComputedStyle(this.canvas).getPropertyValue(`--map-${name}`).trim();
  }

  /** The first address of each window, at its lower end. */
  private drawWindows(scaleY: number, ratio: number): void {
    const context = this.canvas.getContext('2d')!;
    const { lines, windows } = this.tiles.data;
    let row = 0;
    context.font = `${11 * ratio}px ui-monospace, monospace`;
    for (const { start, rows } of windows) {
      const bottom = ((lines.indexOf(row) + 1) / lines.length - this.vertical.from) * scaleY;
      context.fillStyle = this.colour('veil');
      context.fillRect(0, bottom - 15 * ratio, context.measureText(start).width + 8 * ratio, 15 * ratio);
      context.fillStyle = this.colour('ink');
      context.fillText(start, 4 * ratio, bottom - 4 * ratio);
      row += rows;
    }
  }

  private drawLine(x: number, colour: string, dashes: readonly number[]): void {
    const context = this.canvas.getContext('2d')!;
    context.strokeStyle = colour;
    context.lineWidth = 1.5 * (window.devicePixelRatio || 1);
    context.setLineDash([...dashes]);
    context.beginPath();
    // A line at the very edge would be cut in half.
    const inside = x > -1 && x < this.canvas.width + 1 ? clamp(x, 1, this.canvas.width - 1) : x;
    context.moveTo(inside, 0);
    context.lineTo(inside, this.canvas.height);
    context.stroke();
  }

  /** Tells what is at the cross of the clock and the chosen line. */
  private describe(): void {
    const { group, tiles } = this;
    const { data } = tiles;
    const ends = [group.clock.from, group.clock.to].map((share) =>
      secondsText(share * group.data.durationNs),
    );
    for (const [index, span] of [...this.axis.children].entries()) span.textContent = ends[index] ?? '';
    const row = data.lines[this.line] ?? -1;
    const time = secondsText(group.timeNs);
    this.readout.textContent =
      row < 0 ? `${time}  nothing was ever here` : this.tileText(time, row).join('\n');
  }

  private tileText(time: string, row: number): string[] {
    const { data } = this.tiles;
    const column = clamp(Math.floor(this.group.timeNs / data.columnNs), 0, data.columns - 1);
    const start = BigInt(data.starts[row]!);
    const height = data.heights[row]!;
    const end = (start + BigInt(height)).toString(16);
    const range = `0x${start.toString(16)} to 0x${end} (${bytesText(height)})`;
    return [`${time}  ${range}`, this.shares(row, column), ...this.object(row)];
  }

  private shares(row: number, column: number): string {
    const { kinds } = this.tiles.data;
    const bytes = this.tiles.bytes(row, column);
    const heldAt = kinds.indexOf('held');
    const owned = bytes.slice(0, heldAt).reduce((sum, each) => sum + each, 0);
    const cached = Math.max(0, bytes[heldAt]! - owned);
    const room = this.tiles.data.heights[row]! - owned - cached;
    const shown: [string, number][] = bytes.slice(0, heldAt).map((value, kind) => [kinds[kind]!, value]);
    shown.push(['cached', cached], ['free', Math.max(0, Math.min(bytes[heldAt + 1]!, room))]);
    const words = shown
      .filter(([, value]) => value > 0)
      .map(([kind, value]) => `${kind} ${bytesText(value)}`);
    return words.length === 0 ? 'nothing' : words.join(', ');
  }

  private object(row: number): string[] {
    const { timeNs } = this.group;
    const label = this.tiles.label(row, timeNs);
    if (label === undefined) return ['no object was here around this time'];
    const { allocation, kind, address, size, born, died, site } = label;
    const isLive = born <= timeNs && (died < 0 || timeNs < died);
    const age = isLive
      ? `age ${secondsText(timeNs - born)}`
      : `born ${secondsText(born)}${died < 0 ? '' : `, lived ${secondsText(died - born)}`}`;
    const what = `longest here: object ${allocation}, ${kind}, ${bytesText(size)} at 0x${address.toString(16)}`;
    const lines = [what, `${age}${isLive && died < 0 ? ', outlives the run' : ''}`];
    return site === '' ? lines : [...lines, `from ${site}`];
  }

  private listen(): void {
    const { canvas, group } = this;
    canvas.addEventListener('pointermove', (event) => this.pointed(event));
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
    });
    for (const name of ['pointerup', 'pointercancel'] as const) {
      canvas.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        this.point(event);
        const factor = 2 ** (-event.deltaY / 240);
        if (!event.shiftKey) group.clock.zoom(factor, group.timeNs / group.data.durationNs);
        if (!event.altKey) this.zoom(factor);
        group.draw();
      },
      { passive: false },
    );
    canvas.addEventListener('keydown', (event) => {
      if (this.pressed(event)) event.preventDefault();
    });
  }

  private readonly pointers = new Map<number, PointerEvent>();

  /** Moves the clock and the line to where the pointer is; a drag pans, and two fingers zoom. */
  private pointed(event: PointerEvent): void {
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) this.point(event);
    else {
      this.drag(before, event);
      this.pointers.set(event.pointerId, event);
    }
    this.group.draw();
  }

  private drag(before: PointerEvent, event: PointerEvent): void {
    const { canvas, group, vertical } = this;
    const other = [...this.pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    if (other === undefined) {
      group.clock.pan((-(event.clientX - before.clientX) / canvas.clientWidth) * group.clock.span);
      vertical.pan((-(event.clientY - before.clientY) / canvas.clientHeight) * vertical.span);
      return;
    }
    const distance = (one: PointerEvent): number =>
      Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY));
    const factor = distance(event) / distance(before);
    this.point(event);
    group.clock.zoom(factor, group.timeNs / group.data.durationNs);
    this.zoom(factor);
  }

  private point(event: MouseEvent): void {
    const { canvas, group, vertical } = this;
    const box = canvas.getBoundingClientRect();
    const x = clamp((event.clientX - box.left) / box.width, 0, 1);
    const y = clamp((event.clientY - box.top) / box.height, 0, 1);
    group.setTime((group.clock.from + x * group.clock.span) * group.data.durationNs);
    this.setLine(Math.floor((vertical.from + y * vertical.span) * this.tiles.data.lines.length));
  }

  private setLine(line: number): void {
    this.line = clamp(line, 0, this.tiles.data.lines.length - 1);
  }

  private pressed({ key, shiftKey }: KeyboardEvent): boolean {
    const { group, vertical } = this;
    const step = shiftKey ? 10 : 1;
    const actions: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => group.step(-step),
      ArrowRight: () => group.step(step),
      ArrowUp: () => this.setLine(this.line - step),
      ArrowDown: () => this.setLine(this.line + step),
      Home: () => group.setTime(0),
      End: () => group.setTime(group.data.durationNs),
      PageUp: () => vertical.pan(-vertical.span / 2),
      PageDown: () => vertical.pan(vertical.span / 2),
      '+': () => group.zoom(2),
      '=': () => group.zoom(2),
      '-': () => group.zoom(0.5),
      0: () => group.zoom(1 / MOST_ZOOM),
    };
    const action = actions[key];
    action?.();
    group.draw();
    return action !== undefined;
  }
}

/** Maps with one clock. */
class MapGroup {
  timeNs: number;
  readonly clock = new Axis();
  private readonly views: MapView[];
  private readonly slider: HTMLInputElement;
  private readonly output: HTMLOutputElement;
  private isDrawing = false;

  constructor(
    element: Element,
    readonly data: GroupData,
  ) {
    this.timeNs = data.durationNs;
    this.slider = element.querySelector('.map-time')!;
    this.output = element.querySelector('.map-clock')!;
    const figures = [...element.querySelectorAll('figure.map')];
    this.views = data.maps.map(
      (map, index) => new MapView(this, figures[index]!, map, data.parts[index] ?? null),
    );
    const controls = element.querySelector<HTMLElement>('.map-controls')!;
    controls.hidden = false;
    this.slider.addEventListener('input', () => {
      this.timeNs = (Number(this.slider.value) / Number(this.slider.max)) * data.durationNs;
      this.showTime();
      this.draw();
    });
    controls.addEventListener('click', (event) => this.clicked(event.target));
    new ResizeObserver(() => this.draw()).observe(element);
    matchMedia('(prefers-color-scheme:dark)').addEventListener('change', () => this.draw());
    this.draw();
  }

  setTime(timeNs: number): void {
    this.timeNs = clamp(timeNs, 0, this.data.durationNs);
    this.slider.value = String(Math.round((this.timeNs / this.data.durationNs) * Number(this.slider.max)));
  }

  step(columns: number): void {
    this.setTime(this.timeNs + columns * (this.data.maps[0]?.columnNs ?? 1));
    this.showTime();
  }

  zoom(factor: number): void {
    this.clock.zoom(factor, this.timeNs / this.data.durationNs);
    for (const view of this.views) view.zoom(factor);
  }

  /** Draws at the next frame, once however often it is asked for. */
  draw(): void {
    if (this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      this.output.textContent = secondsText(this.timeNs);
      for (const view of this.views) view.draw();
    });
  }

  /** Moves what is shown so that the chosen time is in it. */
  private showTime(): void {
    const share = this.timeNs / this.data.durationNs;
    if (share < this.clock.from || share > this.clock.to)
      this.clock.pan(share - this.clock.from - this.clock.span / 2);
  }

  private clicked(target: EventTarget | null): void {
    const action = target instanceof HTMLElement ? target.dataset.action : undefined;
    const part = this.data.parts.find((time) => time !== null);
    if (action === 'in') this.zoom(2);
    if (action === 'out') this.zoom(0.5);
    if (action === 'whole') this.zoom(1 / MOST_ZOOM);
    if (action === 'part') this.setTime(part ?? 0);
    this.showTime();
    this.draw();
  }
}

for (const element of document.querySelectorAll('.map-group')) {
  const data: GroupData = JSON.parse(element.querySelector('.map-data')!.textContent ?? '');
  const images = [...element.querySelectorAll('img')];
  Promise.all(images.map((image) => image.decode())).then(() => new MapGroup(element, data));
}
