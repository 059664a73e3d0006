import type { Ciphertext, Decryptor, Evaluator, MainModule, ParmsIdType, Plaintext, SEALContext } from 'node-seal';
import { CryptoError } from '../crypto.error.js';
import { parameterSet, type ParameterSet, type ParameterSetName } from './parameter.set.js';
import { elementWords, type RingElement } from './ring.element.js';
import { freeing, loadedSeal } from './seal.module.js';

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
 * SEAL for one parameter set: NTT, products, message scaling and rounding. Everything linear happens in word arithmetic outside.
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
  readonly #messageImage: Uint8Array;
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
    this.#ciphertextImage = this.#image(this.#ciphertext, CIPHERTEXT_HEADER + 2 * elementWords(set) * 8);
    this.#plaintext = new seal.Plaintext(set.degree, set.degree);
    this.#messageImage = this.#image(this.#plaintext, PLAIN_HEADER + set.degree * 8);
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

  /** Coefficients of the product of two NTT-form elements. */
  productCoefficients(element: RingElement, factor: NttFactor): RingElement {
    this.#load(element, true);
    this.#evaluator.multiplyPlainInplace(this.#ciphertext, factor.plaintext);
    this.#evaluator.cipherTransformFromNttInplace(this.#ciphertext);
    return this.#save();
  }

  /** NTT form of an element given by its coefficients. */
  toNtt(element: RingElement): RingElement {
    this.#load(element, false);
    this.#evaluator.cipherTransformToNttInplace(this.#ciphertext);
    return this.#save();
  }

  /** element + ⌊(q·m + ⌊(t+1)/2⌋)/t⌋ coefficient by coefficient, for N message words below t. */
  addScaledMessage(element: RingElement, message: BigUint64Array): RingElement {
    this.#load(element, false);
    writeWords(this.#messageImage, PLAIN_HEADER, message);
    this.#plaintext.loadFromArray(this.#context, this.#messageImage);
    this.#messageImage.fill(0, PLAIN_HEADER);
    this.#evaluator.addPlainInplace(this.#ciphertext, this.#plaintext);
    return this.#save();
  }

  /** The rounding of t·x/q modulo t, N words, by SEAL's Decryptor on (x, 0). */
  roundToMessage(element: RingElement): BigUint64Array {
    this.#load(element, false, 0);
    this.#decryptor.decrypt(this.#ciphertext, this.#plaintext);
    const image = this.#plaintext.saveToArray(this.#seal.ComprModeType.none) as Uint8Array;
    // SEAL trims leading zero coefficients of a decrypted plaintext.
    const message = new BigUint64Array(this.set.degree);
    message.set(wordsAt(image, PLAIN_HEADER, (image.length - PLAIN_HEADER) / 8));
    return message;
  }

  /** Loads (element, second): SEAL validates the range, and refuses results whose second polynomial is zero. */
  #load(element: RingElement, ntt: boolean, second = 1): void {
    this.#ciphertextImage[NTT_FLAG] = ntt ? 1 : 0;
    this.#ciphertextImage[CIPHERTEXT_HEADER + elementWords(this.set) * 8] = second;
    writeWords(this.#ciphertextImage, CIPHERTEXT_HEADER, element);
    this.#ciphertext.loadFromArray(this.#context, this.#ciphertextImage);
    this.#ciphertextImage.fill(0, CIPHERTEXT_HEADER, CIPHERTEXT_HEADER + element.byteLength);
  }

  #save(): RingElement {
    const image = this.#ciphertext.saveToArray(this.#seal.ComprModeType.none) as Uint8Array;
    return wordsAt(image, CIPHERTEXT_HEADER, elementWords(this.set));
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
