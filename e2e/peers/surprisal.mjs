// Our own step: web/examples/nn_bench.rs, built and bound as the page's engine is.

export async function make(_, __, problem) {
  const { default: init, Training } = await import('/ours/nn_bench.js');
  await init();
  const training = new Training(problem);
  return { step: () => training.step(), read: (loss) => loss, drop: () => {}, dispatches: training.dispatches };
}
