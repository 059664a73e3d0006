/** Preloaded by tests: this process believes that it is COFERMENT_TEST_CLOCK_SHIFT milliseconds later than it is. */
const shift = Number(process.env.COFERMENT_TEST_CLOCK_SHIFT ?? 0);
const RealDate = Date;

globalThis.Date = class ShiftedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shift);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + shift;
  }
};
