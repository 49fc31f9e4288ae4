/** In a page: while the pointer is over a backend in a legend, the marks of others are faint, and its own have its colour. */
function fadeOthers(legend: Element, backend: string | undefined): void {
  const charts = legend.nextElementSibling;
  if (charts === null) return;
  const colour = legend.querySelector(`li[data-backend="${backend}"] path`)?.getAttribute('stroke');
  (charts as HTMLElement).style.setProperty('--lit', colour ?? '');
  for (const mark of charts.querySelectorAll('[class*="backend-"]')) {
    const isOther = backend !== undefined && !mark.classList.contains(`backend-${backend}`);
    mark.classList.toggle('faded', isOther);
    mark.classList.toggle('lit', backend !== undefined && !isOther);
  }
}

for (const legend of document.querySelectorAll('.legend')) {
  for (const item of legend.querySelectorAll<HTMLElement>('li[data-backend]')) {
    item.addEventListener('pointerenter', () => fadeOthers(legend, item.dataset.backend));
    item.addEventListener('pointerleave', () => fadeOthers(legend, undefined));
  }
}
