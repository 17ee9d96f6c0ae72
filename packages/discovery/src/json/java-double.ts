/** A Double as a payload: `new JavaDouble(5)` is written `5.0`, where the number 5 is an Integer to Java. */
export class JavaDouble {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/**
 * A finite number as Java's `Double.toString` writes it: the shortest digits that are read as the same number, but two at least;
 * with an exponent below 10^-3 and from 10^7 on. Before JDK 19 some had more digits than needed (JDK-4511638).
 */
export function doubleText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const sign = value < 0 ? '-' : '';
  const { digits, exponent } = decimal(Math.abs(value));
  if (exponent >= 7 || exponent < -3) return `${sign}${digits[0]}.${digits.slice(1)}E${exponent}`;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits.replace(/0$/, '')}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** The digits, two or more, with the point after the first, and the power of ten. */
function decimal(value: number): { digits: string; exponent: number } {
  const shortest = value.toExponential();
  // Of two digits Java takes the nearest: Double.MIN_VALUE is 4.9E-324, where JavaScript's is 5e-324.
  const [mantissa = '', power] = (shortest.includes('.') ? shortest : value.toExponential(1)).split('e');
  return { digits: mantissa.replace('.', ''), exponent: Number(power) };
}
