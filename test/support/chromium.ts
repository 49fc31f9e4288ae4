import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const USUAL_PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Path of a Chromium to test pages with: CHROMIUM_PATH, or where Debian has it; undefined where there is none. */
export const chromiumPath: string | undefined = [process.env.CHROMIUM_PATH, ...USUAL_PATHS].find(
  (path) => path !== undefined && existsSync(path),
);

/** Starts it without a window. The sandbox needs rights that a container's root has not. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
}
