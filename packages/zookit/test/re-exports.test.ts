import { describe, expect, it } from '@jest/globals';
import * as barriers from '@zookit/barriers';
import * as cache from '@zookit/cache';
import * as client from '@zookit/client';
import * as discovery from '@zookit/discovery';
import * as group from '@zookit/group';
import * as leader from '@zookit/leader';
import * as locks from '@zookit/locks';
import * as recipeCore from '@zookit/recipe-core';
import * as zookit from 'zookit';

describe('zookit', () => {
  it.each([
    ['@zookit/barriers', barriers],
    ['@zookit/cache', cache],
    ['@zookit/client', client],
    ['@zookit/discovery', discovery],
    ['@zookit/group', group],
    ['@zookit/leader', leader],
    ['@zookit/locks', locks],
    ['@zookit/recipe-core', recipeCore],
  ])('has every public name of %s', (_name, door) => {
    expect(Object.keys(door)).not.toHaveLength(0);
    expect(zookit).toMatchObject(door);
  });

  it('has nothing of its own', () => {
    expect({
      ...barriers,
      ...cache,
      ...client,
      ...discovery,
      ...group,
      ...leader,
      ...locks,
      ...recipeCore,
    }).toMatchObject(zookit);
  });
});
