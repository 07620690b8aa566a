// How the browser is started, for the journeys, the wasm tests and the benches alike.

const common = [
  '--no-sandbox',
  // The headless shell has no WebGPU: this is the whole browser without a window.
  '--headless=new',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

const flags = {
  // A software adapter, the same on every machine. The last three make what it draws show up in screenshots.
  webgpu: [
    '--enable-unsafe-webgpu',
    '--use-webgpu-adapter=swiftshader',
    '--enable-features=Vulkan',
    '--use-vulkan=swiftshader',
    '--use-angle=swiftshader',
  ],
  // Whatever adapter there is, for benches.
  hardware: ['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist'],
  // No GPU at all, nor one emulated: the browser itself draws in memory.
  cpu: ['--disable-gpu', '--disable-webgpu', '--disable-features=WebGPU,WebGPUService'],
};

/** Options for `chromium.launch`, with WebGPU (`webgpu`, `hardware`) or without (`cpu`). */
export function launchOptions(kind) {
  const executablePath = process.env.SURPRISAL_CHROMIUM || undefined;
  return {
    headless: true,
    // Without a path: Playwright's own browser, again the whole one.
    ...(executablePath ? { executablePath } : { channel: 'chromium' }),
    args: [...common, ...flags[kind]],
  };
}
