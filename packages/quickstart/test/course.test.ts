import { describe, expect, it } from '@jest/globals';
import { Course } from '../src/course.ts';

/** A course on which everyone had the lock, one was killed at 4 s and another took over at 7 s. */
function takenOver(grants: number | null): Course {
  const course = new Course({ services: 2, seconds: 12, grants });
  course.granted('alpha', 0);
  course.granted('beta', 1);
  course.killed(4);
  course.granted('alpha', 7);
  return course;
}

describe('Course', () => {
  it('wants a kill after a third of the time, once everybody had the lock', () => {
    const course = new Course({ services: 2, seconds: 12, grants: null });
    course.granted('alpha', 0);
    course.granted('alpha', 4);
    expect(course.wantsKill(5)).toBe(false);
    course.granted('beta', 5);
    expect(course.wantsKill(3.9)).toBe(false);
    expect(course.wantsKill(5)).toBe(true);
    course.killed(5);
    expect(course.wantsKill(6)).toBe(false);
  });

  it('wants a kill after a third of the grants', () => {
    const course = new Course({ services: 2, seconds: 60, grants: 7 });
    course.granted('alpha', 0);
    course.granted('beta', 1);
    expect(course.wantsKill(1)).toBe(false);
    course.granted('alpha', 2);
    expect(course.wantsKill(2)).toBe(true);
  });

  it('is over after its time, with enough grants', () => {
    const course = takenOver(null);
    expect(course.isOver(11.9)).toBe(false);
    expect(course.isOver(12)).toBe(false);
    course.granted('alpha', 12);
    expect(course.isOver(12)).toBe(true);
  });

  it('is over after its grants, or when their time is up', () => {
    const course = takenOver(4);
    expect(course.isOver(11)).toBe(false);
    expect(course.isOver(12)).toBe(true);
    course.granted('alpha', 9);
    expect(course.isOver(9)).toBe(true);
  });

  it('waits for the takeover, but not for ever', () => {
    const course = new Course({ services: 2, seconds: 12, grants: 3 });
    for (const name of ['alpha', 'beta', 'alpha']) course.granted(name, 1);
    course.killed(4);
    // Heard of late: it was before the kill.
    course.granted('beta', 3.9);
    expect(course.isOver(41)).toBe(false);
    expect(course.isOver(42)).toBe(true);
  });
});
