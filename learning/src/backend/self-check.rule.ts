import * as tf from '@tensorflow/tfjs';

const STEPS = 5;

/** A tiny training on fixed numbers: the losses of its steps. A backend whose losses differ from another's computes something else. */
export function selfCheck(): number[] {
  const kernel = tf.variable(tf.tensor2d([0.3, -0.2, 0.1, 0.4, -0.5, 0.2], [3, 2]));
  const head = tf.variable(tf.tensor2d([0.7, -0.6], [2, 1]));
  const optimizer = tf.train.adam(0.05);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    losses.push(
      tf.tidy(() => {
        const inputs = tf.tensor2d([1, 2, 3, -1, 0.5, 2, 0, 1, -2, 3, -1, 1], [4, 3]);
        const targets = tf.tensor2d([1, 0, -1, 2], [4, 1]);
        const loss = (): tf.Scalar => tf.mean(tf.square(tf.sub(tf.matMul(tf.relu(tf.matMul(inputs, kernel)), head), targets)));
        return optimizer.minimize(loss, true, [kernel, head])!.dataSync()[0]!;
      }),
    );
  }
  tf.dispose([kernel, head]);
  optimizer.dispose();
  return losses;
}
