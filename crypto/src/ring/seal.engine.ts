import type { Ciphertext, Decryptor, Evaluator, MainModule, ParmsIdType, Plaintext, SEALContext } from 'node-seal';
import { CryptoError } from '../crypto.error.js';
import { parameterSet, type ParameterSet, type ParameterSetName } from './parameter.set.js';
import { elementWords, type RingElement } from './ring.element.js';
import { freeing, loadedSeal } from './seal.module.js';

/** Elements that go through SEAL at once: a ciphertext has two polynomials, and one costs as much as two. */
export const ELEMENTS_AT_ONCE = 2;

/* Layout of SEAL's uncompressed serialisation (node-seal 7.0.0); the constructor compares it with what SEAL writes. */
const CIPHERTEXT_HEADER = 113;
const PLAIN_HEADER = 88;
const NTT_FLAG = 48;

/** A fixed factor held in NTT form inside SEAL, for many products; free() it. */
export interface NttFactor {
  readonly plaintext: Plaintext;
  free(): void;
}

/**
 * SEAL for one parameter set: NTT and products. Everything linear, and the scaling and rounding of messages, happens in word arithmetic outside.
 * Objects live as long as the process; the few per-call ones are freed by their users.
 */
export class SealEngine {
  readonly #seal: MainModule;
  readonly #context: SEALContext;
  readonly #evaluator: Evaluator;
  readonly #decryptor: Decryptor;
  readonly #firstId: ParmsIdType;
  readonly #ciphertext: Ciphertext;
  readonly #plaintext: Plaintext;
  readonly #ciphertextImage: Uint8Array;
  /** The polynomials in the image. */
  readonly #polynomials: readonly RingElement[];
  readonly #products: readonly RingElement[];
  readonly #nttImage: Uint8Array;

  constructor(readonly set: ParameterSet) {
    const seal = loadedSeal();
    this.#seal = seal;
    this.#context = createContext(seal, set);
    this.#evaluator = new seal.Evaluator(this.#context);
    this.#firstId = this.#context.firstParmsId();
    const generator = new seal.KeyGenerator(this.#context);
    const dummy = generator.secretKey();
    // Rounding a polynomial (x, 0) never reads the key, but SEAL wants one.
    this.#decryptor = freeing([generator, dummy], () => new seal.Decryptor(this.#context, dummy));
    this.#ciphertext = new seal.Ciphertext(this.#context, this.#firstId, 2);
    this.#ciphertext.resize(2);
    const size = elementWords(set);
    const image = this.#image(this.#ciphertext, CIPHERTEXT_HEADER + ELEMENTS_AT_ONCE * size * 8);
    // Placed so that the words behind the header start at a multiple of eight bytes.
    const memory = new ArrayBuffer(8 + image.length);
    this.#ciphertextImage = new Uint8Array(memory, 8 - (CIPHERTEXT_HEADER % 8), image.length);
    this.#ciphertextImage.set(image);
    const first = this.#ciphertextImage.byteOffset + CIPHERTEXT_HEADER;
    this.#polynomials = Array.from({ length: ELEMENTS_AT_ONCE }, (_, at) => new BigUint64Array(memory, first + at * size * 8, size));
    this.#products = Array.from({ length: ELEMENTS_AT_ONCE }, () => new BigUint64Array(size));
    this.#plaintext = new seal.Plaintext(set.degree, set.degree);
    const ntt = new seal.Plaintext(set.degree, set.degree);
    this.#nttImage = freeing([ntt], () => {
      this.#evaluator.plainTransformToNttInplace(ntt, this.#firstId);
      return this.#image(ntt, PLAIN_HEADER + elementWords(set) * 8);
    });
  }

  /** A fresh ternary secret of SEAL's KeyGenerator, NTT form. */
  ternarySecret(): RingElement {
    const generator = new this.#seal.KeyGenerator(this.#context);
    const key = generator.secretKey();
    return freeing([generator, key], () => {
      const image = key.saveToArray(this.#seal.ComprModeType.none) as Uint8Array;
      const words = wordsAt(image, PLAIN_HEADER, elementWords(this.set));
      image.fill(0);
      return words;
    });
  }

  /** Prepares an NTT-form element as a factor; 'out-of-range' for zero, which is no key and whose products SEAL refuses. */
  factor(element: RingElement): NttFactor {
    if (element.every((word) => word === 0n))
      throw new CryptoError('out-of-range', 'A key or key share of nothing but zeros cannot be used.');
    const plaintext = new this.#seal.Plaintext();
    writeWords(this.#nttImage, PLAIN_HEADER, element);
    plaintext.loadFromArray(this.#context, this.#nttImage);
    this.#nttImage.fill(0, PLAIN_HEADER);
    return { plaintext, free: () => plaintext.delete() };
  }

  /**
   * Coefficients of the products of one or two NTT-form elements with a factor. `fill` writes the element at its index; the products stand in memory of
   * this engine until the next call, and whoever has them wipes them.
   */
  products(count: number, factor: NttFactor, fill: (element: RingElement, index: number) => void): readonly RingElement[] {
    for (let index = 0; index < count; index++) fill(this.#polynomials[index]!, index);
    this.#load(count, true);
    this.#evaluator.multiplyPlainInplace(this.#ciphertext, factor.plaintext);
    this.#evaluator.cipherTransformFromNttInplace(this.#ciphertext);
    return this.#save(count);
  }

  /** NTT form of an element given by its coefficients. */
  toNtt(element: RingElement): RingElement {
    this.#polynomials[0]!.set(element);
    this.#load(1, false);
    this.#evaluator.cipherTransformToNttInplace(this.#ciphertext);
    return this.#save(1)[0]!.slice();
  }

  /** The rounding of t·x/q modulo t, N words, by SEAL's Decryptor on (x, 0): what the rounding of a sum must agree with. */
  roundToMessage(element: RingElement): BigUint64Array {
    this.#polynomials[0]!.set(element);
    this.#load(1, false, 0n);
    this.#decryptor.decrypt(this.#ciphertext, this.#plaintext);
    const image = this.#plaintext.saveToArray(this.#seal.ComprModeType.none) as Uint8Array;
    // SEAL trims leading zero coefficients of a decrypted plaintext.
    const message = new BigUint64Array(this.set.degree);
    message.set(wordsAt(image, PLAIN_HEADER, (image.length - PLAIN_HEADER) / 8));
    return message;
  }

  /**
   * Loads what stands in the first `count` polynomials of the image, and wipes it there. SEAL validates the range, and refuses results whose second polynomial
   * is zero: without a second element it is `second`.
   */
  #load(count: number, ntt: boolean, second = 1n): void {
    this.#ciphertextImage[NTT_FLAG] = ntt ? 1 : 0;
    if (count === 1) this.#polynomials[1]!.fill(0n).fill(second, 0, 1);
    this.#ciphertext.loadFromArray(this.#context, this.#ciphertextImage);
    for (const polynomial of this.#polynomials) polynomial.fill(0n);
  }

  #save(count: number): readonly RingElement[] {
    const image = this.#ciphertext.saveToArray(this.#seal.ComprModeType.none) as Uint8Array;
    const size = elementWords(this.set) * 8;
    return this.#products.slice(0, count).map((product, index) => {
      const from = CIPHERTEXT_HEADER + index * size;
      new Uint8Array(product.buffer).set(image.subarray(from, from + size));
      return product;
    });
  }

  #image(object: Ciphertext | Plaintext, expected: number): Uint8Array {
    const image = Uint8Array.from(object.saveToArray(this.#seal.ComprModeType.none) as Uint8Array);
    if (image.length !== expected) {
      throw new CryptoError(
        'self-check',
        `SEAL serialised ${image.length} bytes, expected ${expected}: this node-seal version has another layout.`,
      );
    }
    return image;
  }
}

function writeWords(image: Uint8Array, offset: number, words: BigUint64Array): void {
  image.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), offset);
}

function wordsAt(image: Uint8Array, offset: number, count: number): BigUint64Array {
  const bytes = new Uint8Array(count * 8);
  bytes.set(image.subarray(offset, offset + count * 8));
  return new BigUint64Array(bytes.buffer);
}

function createContext(seal: MainModule, set: ParameterSet): SEALContext {
  const primes = seal.CoeffModulus.Create(set.degree, Int32Array.from(set.coefficientModulusBits));
  const parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
  const plain = new seal.Modulus(set.plainModulus);
  return freeing([primes, parameters, plain], () => {
    set.dataPrimes.forEach((prime, index) => {
      const found = primes.get(index);
      const value = found?.value();
      found?.delete();
      if (value !== prime) throw new CryptoError('self-check', `SEAL's data prime ${index} of ${set.name} is ${value}, expected ${prime}.`);
    });
    parameters.setPolyModulusDegree(set.degree);
    parameters.setCoeffModulus(primes);
    parameters.setPlainModulus(plain);
    const security = set.name === 'STANDARD' ? seal.SecLevelType.tc128 : seal.SecLevelType.none;
    const context = new seal.SEALContext(parameters, true, security);
    if (!context.parametersSet()) throw new CryptoError('self-check', `SEAL refuses the parameters of ${set.name}.`);
    return context;
  });
}

const engines = new Map<ParameterSetName, SealEngine>();

/** The engine of a set, built on first use (about 100 ms for STANDARD). */
export function sealEngine(name: ParameterSetName): SealEngine {
  const known = engines.get(name);
  if (known !== undefined) return known;
  const engine = new SealEngine(parameterSet(name));
  engines.set(name, engine);
  return engine;
}
