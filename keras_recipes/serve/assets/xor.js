// The recipe's XOR net, trained in the browser: plain gradient descent on all points at once.

const ACTIVATIONS = {
  tanh: { of: Math.tanh, slope: (y) => 1 - y * y },
  sigmoid: { of: (x) => 1 / (1 + Math.exp(-x)), slope: (y) => y * (1 - y) },
  relu: { of: (x) => Math.max(0, x), slope: (y) => (y > 0 ? 1 : 0) },
};
const sigmoid = ACTIVATIONS.sigmoid.of;

export class XorNet {
  // The weights are those of a new Keras layer: Glorot's uniform distribution, and no biases.
  constructor({ units, activation, rate, table }, random = Math.random) {
    const uniform = (limit) => limit * (2 * random() - 1);
    const hidden = Math.sqrt(6 / (2 + units));
    const output = Math.sqrt(6 / (units + 1));
    this.activation = ACTIVATIONS[activation];
    this.rate = rate;
    this.points = table.map(([a, b, target]) => ({ x: [a, b], target }));
    this.hidden = Array.from({ length: units }, () => ({
      weights: [uniform(hidden), uniform(hidden)], bias: 0,
    }));
    this.output = { weights: Array.from({ length: units }, () => uniform(output)), bias: 0 };
    this.epochs = 0;
  }

  units(x) {
    return this.hidden.map(({ weights, bias }) =>
      this.activation.of(weights[0] * x[0] + weights[1] * x[1] + bias));
  }

  answer(x, units = this.units(x)) {
    return sigmoid(units.reduce((sum, unit, n) => sum + unit * this.output.weights[n], this.output.bias));
  }

  loss() {
    const each = this.points.map(({ x, target }) => {
      const answer = Math.min(1 - 1e-7, Math.max(1e-7, this.answer(x)));
      return -Math.log(target ? answer : 1 - answer);
    });
    return each.reduce((sum, one) => sum + one, 0) / each.length;
  }

  largestError() {
    return Math.max(...this.points.map(({ x, target }) => Math.abs(this.answer(x) - target)));
  }

  epoch() {
    const rate = this.rate / this.points.length;
    const steps = this.points.map(({ x, target }) => {
      const units = this.units(x);
      const error = this.answer(x, units) - target;
      const back = units.map((unit, n) => error * this.output.weights[n] * this.activation.slope(unit));
      return { x, units, error, back };
    });
    for (const { x, units, error, back } of steps) {
      this.output.bias -= rate * error;
      units.forEach((unit, n) => {
        this.output.weights[n] -= rate * error * unit;
        this.hidden[n].bias -= rate * back[n];
        this.hidden[n].weights[0] -= rate * back[n] * x[0];
        this.hidden[n].weights[1] -= rate * back[n] * x[1];
      });
    }
    this.epochs += 1;
  }
}
